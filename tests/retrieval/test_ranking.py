from __future__ import annotations

import pytest

from codeintel_rev.retrieval.candidate import Candidates
from codeintel_rev.retrieval.ranking import Weights, dense_share, match_scores, rank
from codeintel_rev.retrieval.signals import query_facts
from codeintel_rev.types import ChunkHead
from tests.fakes.candidates import candidates_of

PLAIN = Weights(bonuses={}, penalties={}, file_share=0.0)

Found = tuple[int, float, float, str]
"""Number, scores of both channels, and path of a candidate."""


def head(number: int, uri: str = "", kind: str = "function", symbol: str = "f") -> ChunkHead:
    lang = "markdown" if uri.endswith(".md") else "python"
    return ChunkHead(number, number, uri or f"src/m{number}.py", lang, kind, symbol)


def candidates(*found: Found, **columns: object) -> Candidates:
    heads = [head(number, uri) for number, _, _, uri in found]
    dense, words = [each[1] for each in found], [each[2] for each in found]
    return candidates_of(heads, dense=dense, words=words, **columns)


def order(found: Candidates, weights: Weights | None = None) -> list[int]:
    return [item.row for item in rank(query_facts(["url"]), found, weights).best()]


def test_a_match_is_the_mean_of_shares() -> None:
    found = candidates((1, 0.8, 5.0, ""), (2, 0.4, 10.0, ""), (3, -0.2, 0.0, ""))
    assert match_scores(found, 0.5) == pytest.approx([0.75, 0.75, 0.0])


def test_a_channel_that_found_nothing_has_no_say() -> None:
    for first, second in ([(0.0, 4.0), (0.0, 2.0)], [(0.6, 0.0), (0.3, 0.0)]):
        scores = match_scores(candidates((1, *first, ""), (2, *second, "")), 0.5)
        assert scores.tolist() == [1.0, 0.5]
    assert match_scores(candidates((1, 0.0, 0.0, "")), 0.5).tolist() == [0.0]
    assert match_scores(candidates(), 0.5).tolist() == []


def test_implied_terms_count_half_of_what_words_count() -> None:
    found = candidates((1, 1.0, 4.0, ""), (2, 0.0, 2.0, ""), sparse=[0.0, 3.0])
    assert match_scores(found, 0.5) == pytest.approx([0.5 + 0.5 * 0.5 / 0.75, 0.5])


@pytest.mark.parametrize(
    ("terms", "share"), [(0, 0.6), (1, 0.6), (3, 0.6), (14, 0.5), (25, 0.4), (900, 0.4)]
)
def test_the_longer_a_query_the_more_its_words_count(terms: int, share: float) -> None:
    assert dense_share(terms, (0.6, 0.4)) == pytest.approx(share)


def test_a_score_by_hand() -> None:
    weights = Weights(
        (0.5, 0.5), {"named": 0.1}, {"test_path": 0.4}, file_share=0.25, file_decay=0.5
    )
    found = candidates(
        (1, 0.8, 10.0, "a.py"),
        (2, 0.4, 5.0, "a.py"),
        (3, 0.8, 10.0, "tests/b.py"),
        is_named=[False, True, False],
    )
    # chunks: 1.0, 0.5 + 0.1, 1.0 * 0.6; files: a 1.0 + 0.5 * 0.6, b 0.6
    scores = {item.row: item.score for item in rank(query_facts(()), found, weights).best()}
    assert scores == pytest.approx(
        {1: 0.75 + 0.25, 2: 0.75 * 0.6 + 0.25, 3: 0.75 * 0.6 + 0.25 * 0.6 / 1.3}
    )


def test_several_hits_lift_their_file() -> None:
    core = [(number, 0.5, 8.8, "src/core.py") for number in (2, 3, 4)]
    found = candidates((1, 0.5, 9.0, ""), *core)
    assert order(found, PLAIN)[0] == 1
    assert order(found)[0] == 2


def test_tests_and_prose_stand_behind_the_code() -> None:
    found = candidates((1, 0.5, 9.0, "tests/test_a.py"), (2, 0.5, 9.0, "a.md"), (3, 0.5, 8.0, ""))
    assert order(found) == [3, 1, 2]


def test_equal_candidates_stand_in_order_of_their_ids() -> None:
    found = [(number, 0.5, 1.0, "") for number in (3, 1, 2)]
    assert order(candidates(*found)) == order(candidates(*found[::-1])) == [1, 2, 3]


def test_nothing_ranks_to_nothing() -> None:
    assert order(candidates()) == []
    assert order(candidates((1, 0.0, 0.0, ""))) == [1]


def lifted(heads: list[ChunkHead], rows: list[int], *, by_kind: bool = True) -> list[int]:
    scores = [1.0 - number / 10 for number in range(len(heads))]
    ranking = rank(query_facts(()), candidates_of(heads, dense=scores), PLAIN)
    return [item.row for item in ranking.lifting(rows, by_kind=by_kind).best()]


def test_exact_matches_stand_first_and_types_before_methods() -> None:
    heads = [head(1), head(2, kind="method"), head(3, kind="class"), head(4, kind="block")]
    assert lifted(heads, [2, 3]) == [3, 2, 1, 4]
    assert lifted(heads, [4]) == [4, 1, 2, 3]
    assert lifted(heads, []) == [1, 2, 3, 4]


def test_quotations_stand_first_whatever_holds_them() -> None:
    heads = [head(1), head(2), head(3, kind="lines", symbol="")]
    assert lifted(heads, [2, 3], by_kind=False) == [2, 3, 1]
