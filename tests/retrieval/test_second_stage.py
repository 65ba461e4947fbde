from __future__ import annotations

import pytest

from codeintel_rev.retrieval.second_stage import reordered
from codeintel_rev.types import SearchHit


def hits(*scores: float) -> list[SearchHit]:
    return [SearchHit(doc_id=at, score=score) for at, score in enumerate(scores)]


def ids(found: list[SearchHit]) -> list[int]:
    return [hit.doc_id for hit in found]


def test_a_share_of_the_score_is_the_second_model_s() -> None:
    found = reordered(hits(1.0, 0.8), {0: 0.2, 1: 0.4}, share=0.5)
    assert [(hit.doc_id, hit.score) for hit in found] == [
        (1, pytest.approx(0.5 * 0.8 + 0.5 * 1.0)),
        (0, pytest.approx(0.5 * 1.0 + 0.5 * 0.5)),
    ]
    assert [hit.scores.rerank for hit in found] == [0.4, 0.2]


def test_a_hit_without_a_vector_keeps_its_score() -> None:
    found = reordered(hits(1.0, 0.9, 0.8), {0: 0.1, 2: 0.5}, share=0.5)
    assert ids(found) == [1, 2, 0]
    assert found[0].scores.rerank is None


def test_exact_matches_stay_first() -> None:
    found = reordered(hits(7.0, 1.0, 0.9), {0: 0.1, 1: 0.2, 2: 0.9})
    assert ids(found) == [0, 2, 1]


@pytest.mark.parametrize("similarities", [{}, {0: -0.2, 1: 0.0}])
def test_without_evidence_nothing_moves(similarities: dict[int, float]) -> None:
    assert ids(reordered(hits(0.5, 0.4), similarities)) == [0, 1]
    assert reordered([], similarities) == []
