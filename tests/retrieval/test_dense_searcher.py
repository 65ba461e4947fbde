from __future__ import annotations

import numpy as np
import pytest

from codeintel_rev.retrieval.dense_searcher import DenseSearcher
from codeintel_rev.retrieval.flat_searcher import FlatSearcher


@pytest.fixture
def vectors() -> np.ndarray:
    made = np.random.default_rng(7).standard_normal((500, 32)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def exact(vectors: np.ndarray, query: np.ndarray, mask: np.ndarray, k: int) -> list[int]:
    scores = vectors.astype(np.float16).astype(np.float32) @ query
    rows = np.flatnonzero(mask)
    return rows[np.lexsort((rows, -scores[rows]))][:k].tolist()


@pytest.mark.parametrize("kept", [1.0, 0.5, 0.01])
def test_the_first_and_later_searches_agree_with_brute_force(vectors, kept: float) -> None:
    halves = vectors.astype(np.float16)
    searcher = DenseSearcher(
        [(0, halves[:200]), (200, halves[200:])], np.arange(500), faiss_after=1
    )
    mask = np.random.default_rng(1).random(500) < kept
    for query in vectors[:3]:
        rows, scores = searcher.search(query, 10, mask)
        assert rows.tolist() == exact(vectors, query, mask, 10)
        assert (np.diff(scores) <= 0).all()


def test_equal_vectors_come_in_row_order() -> None:
    halves = np.tile(np.array([[1, 0]], dtype=np.float16), (30, 1))
    searcher = DenseSearcher([(0, halves)], np.arange(30), faiss_after=1)
    mask = np.ones(30, dtype=np.bool_)
    mask[0] = False
    for _ in range(2):
        rows, _ = searcher.search(np.array([1, 0], dtype=np.float32), 5, mask)
        assert sorted(rows.tolist()) == rows.tolist()
        assert 0 not in rows


def test_rows_beyond_the_mask_are_not_seen(vectors) -> None:
    searcher = DenseSearcher([(0, vectors.astype(np.float16))], np.arange(500), faiss_after=1)
    for _ in range(2):
        rows, _ = searcher.search(vectors[400], 10, np.ones(100, dtype=np.bool_))
        assert rows.max() < 100


def test_an_empty_scope_gives_nothing(vectors) -> None:
    searcher = DenseSearcher([(0, vectors.astype(np.float16))], np.arange(500), faiss_after=1)
    for _ in range(2):
        rows, scores = searcher.search(vectors[0], 10, np.zeros(500, dtype=np.bool_))
        assert len(rows) == len(scores) == 0


def test_positions_with_gaps_between_their_rows_are_found_by_row(vectors) -> None:
    kept = np.sort(np.random.default_rng(3).permutation(500)[:300])
    searcher = DenseSearcher([(0, vectors[kept].astype(np.float16))], kept, faiss_after=1)
    mask = np.random.default_rng(4).random(480) < 0.5
    existing = np.zeros(480, dtype=np.bool_)
    existing[kept[kept < 480]] = True
    for query in vectors[:3]:
        rows, _ = searcher.search(query, 10, mask)
        assert rows.tolist() == exact(vectors, query, mask & existing, 10)


def test_every_half_precision_number_is_widened_exactly() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)].reshape(-1, 1)
    searcher = FlatSearcher([(0, finite)])
    rows, scores = searcher.search(np.ones(1, np.float32), len(finite), np.ones(len(finite), bool))
    assert np.array_equal(scores, finite[rows, 0].astype(np.float32))
