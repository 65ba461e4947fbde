from __future__ import annotations

import pytest

from codeintel_rev.retrieval.strength import Evidence, names_repository, strengths


def test_the_leader_in_everything_keeps_its_scores() -> None:
    leader, other = strengths([Evidence(0.6, 1.2), Evidence(0.3, 0.6)])
    assert (leader, other) == pytest.approx((1.0, 0.25))


def test_both_channels_have_a_say() -> None:
    by_meaning, by_words = strengths([Evidence(0.6, 0.6), Evidence(0.3, 1.2)])
    assert by_meaning == by_words == pytest.approx(0.75**2)


def test_a_channel_that_found_nothing_has_no_say() -> None:
    assert strengths([Evidence(0.6, 0.0), Evidence(0.3, 0.0)]) == pytest.approx([1.0, 0.25])
    assert strengths([Evidence(-0.1, 1.0), Evidence(0.0, 0.5)]) == pytest.approx([1.0, 0.25])
    assert strengths([Evidence(0.0, 0.0), Evidence(0.0, 0.0)]) == [1.0, 1.0]
    assert strengths([]) == []


def test_the_best_of_many_chunks_has_to_be_better() -> None:
    small, large = strengths([Evidence(0.5, 1.0, rows=400), Evidence(0.5, 1.0, rows=40_000)])
    assert large < small
    assert strengths([Evidence(0.5, 1.0, rows=1 << 40), Evidence(0.1, 0.0, rows=0)])[0] >= 0.0


def test_a_repository_that_the_query_names_is_ahead_of_its_equals() -> None:
    plain, named = strengths([Evidence(0.5, 1.0), Evidence(0.5, 1.0, is_named=True)])
    assert named > plain


def test_a_repository_that_defines_what_the_query_names_is_ahead_of_its_equals() -> None:
    plain, defining, named = strengths(
        [
            Evidence(0.5, 1.0),
            Evidence(0.5, 1.0, is_defining=True),
            Evidence(0.5, 1.0, is_named=True),
        ]
    )
    assert named > defining > plain


@pytest.mark.parametrize(
    ("query", "repository", "is_named"),
    [
        ("how does gin bind a request", "gin", True),
        ("how does Commons Lang split strings", "commons-lang", True),
        ("language of the response", "commons-lang", False),
        ("begin a transaction", "gin", False),
        ("anything", "...", False),
    ],
)
def test_a_name_counts_when_all_its_words_are_there(
    query: str, repository: str, is_named: bool
) -> None:
    assert names_repository(query, repository) is is_named
