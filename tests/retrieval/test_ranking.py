from __future__ import annotations

import pytest

from codeintel_rev.retrieval.candidate import Candidate
from codeintel_rev.retrieval.ranking import Weights, dense_share, match_scores, rank
from codeintel_rev.retrieval.signals import query_facts
from codeintel_rev.types import ChunkHead

PLAIN = Weights(bonuses={}, penalties={}, file_share=0.0)


def candidate(
    number: int, dense: float, words: float, uri: str = "", **fields: object
) -> Candidate:
    head = ChunkHead(number, number, uri or f"src/m{number}.py", "python", "function", f"f{number}")
    return Candidate(head, dense, words, **fields)  # type: ignore[arg-type]


def order(candidates: list[Candidate], weights: Weights | None = None) -> list[int]:
    return [item.candidate.head.id for item in rank(query_facts(["url"]), candidates, weights)]


def test_a_match_is_the_mean_of_shares() -> None:
    found = [candidate(1, 0.8, 5.0), candidate(2, 0.4, 10.0), candidate(3, -0.2, 0.0)]
    assert match_scores(found, 0.5) == pytest.approx([0.75, 0.75, 0.0])


def test_a_channel_that_found_nothing_has_no_say() -> None:
    for found in ([(0.0, 4.0), (0.0, 2.0)], [(0.6, 0.0), (0.3, 0.0)]):
        scores = match_scores([candidate(1, *found[0]), candidate(2, *found[1])], 0.5)
        assert scores.tolist() == [1.0, 0.5]
    assert match_scores([candidate(1, 0.0, 0.0)], 0.5).tolist() == [0.0]
    assert match_scores([], 0.5).tolist() == []


def test_implied_terms_count_half_of_what_words_count() -> None:
    found = [candidate(1, 1.0, 4.0), candidate(2, 0.0, 2.0, sparse=3.0)]
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
    found = [
        candidate(1, 0.8, 10.0, "a.py"),
        candidate(2, 0.4, 5.0, "a.py", is_named=True),
        candidate(3, 0.8, 10.0, "tests/b.py"),
    ]
    # chunks: 1.0, 0.5 + 0.1, 1.0 * 0.6; files: a 1.0 + 0.5 * 0.6, b 0.6
    scores = {item.candidate.head.id: item.score for item in rank(query_facts(()), found, weights)}
    assert scores == pytest.approx(
        {1: 0.75 + 0.25, 2: 0.75 * 0.6 + 0.25, 3: 0.75 * 0.6 + 0.25 * 0.6 / 1.3}
    )


def test_several_hits_lift_their_file() -> None:
    found = [candidate(1, 0.5, 9.0), *(candidate(n, 0.5, 8.8, "src/core.py") for n in (2, 3, 4))]
    assert order(found, PLAIN)[0] == 1
    assert order(found)[0] == 2


def test_tests_and_prose_stand_behind_the_code() -> None:
    prose = candidate(2, 0.5, 9.0, "readme.md")
    prose = prose._replace(head=ChunkHead(2, 2, "readme.md", "markdown", "section", "Usage"))
    found = [candidate(1, 0.5, 9.0, "tests/test_a.py"), prose, candidate(3, 0.5, 8.0)]
    assert order(found) == [3, 1, 2]


def test_equal_candidates_stand_in_order_of_their_ids() -> None:
    found = [candidate(number, 0.5, 1.0) for number in (3, 1, 2)]
    assert order(found) == order(found[::-1]) == [1, 2, 3]


def test_nothing_ranks_to_nothing() -> None:
    assert order([]) == []
    assert order([candidate(1, 0.0, 0.0)]) == [1]
