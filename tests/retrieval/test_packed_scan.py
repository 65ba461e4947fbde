from __future__ import annotations

import numpy as np
import pytest

from codeintel_rev.retrieval.flat_searcher import FlatSearcher
from codeintel_rev.retrieval.packed_scan import PackedScan

ROWS, DIM = 6_000, 32


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((60, DIM))
    made = centres[rng.integers(0, 60, ROWS)] + 0.5 * rng.standard_normal((ROWS, DIM))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def packed(vectors: np.ndarray) -> PackedScan:
    return PackedScan([vectors[:4_000], vectors[4_000:]])


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_the_nearest_in_scope_are_among_what_is_proposed(vectors, packed, share: float) -> None:
    mask = np.random.default_rng(6).random(ROWS) < share
    exact = FlatSearcher([(0, vectors)])
    for query in vectors[::600].astype(np.float32):
        nearest, _ = exact.search(query, 10, mask)
        proposed = packed.propose(query, 300, mask)
        assert mask[proposed].all()
        assert len(set(nearest.tolist()) - set(proposed.tolist())) <= 1


def test_a_scope_of_few_or_of_nothing_is_all_proposed(vectors, packed) -> None:
    mask = np.zeros(ROWS, dtype=np.bool_)
    assert len(packed.propose(vectors[0].astype(np.float32), 10, mask)) == 0
    mask[[7, 4_100]] = True
    assert sorted(packed.propose(vectors[0].astype(np.float32), 10, mask)) == [7, 4_100]


def test_the_same_vectors_are_packed_alike(vectors, packed) -> None:
    again = PackedScan([vectors])
    mask = np.ones(ROWS, dtype=np.bool_)
    query = vectors[17].astype(np.float32)
    assert again.count == packed.count == ROWS
    assert len(again.propose(query, 50, mask)) == 50
    assert 17 in again.propose(query, 50, mask)
