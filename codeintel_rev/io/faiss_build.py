"""Building a FAISS index over fp16 vectors, which it knows by their position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.faiss_files import load_faiss

FLAT_BELOW = 10_000
"""Fewer vectors than these are compared one by one."""

IVF_FLAT_BELOW = 100_000
"""Fewer vectors than these are kept whole in the lists of an inverted file, more are quantised."""

PQ_M = 32
"""Bytes of a quantised vector, where that divides its length."""

TRAINING_A_LIST = 40
"""Vectors that the training sees for each list."""

_CODES = 256
"""Centroids of a quantiser, one a value of a byte."""

_ROUNDS = 10
"""Of k-means; more do not raise recall."""

_SEED = 0
_BLOCK = 16_384
"""Vectors widened to float32 at a time."""


class Family(NamedTuple):
    """A kind of index and its size."""

    index_type: str
    """``Flat``, ``IVFFlat`` or ``IVFPQ``."""
    nlist: int | None = None
    pq_m: int | None = None


def choose_family(count: int, dim: int) -> Family:
    """Return the kind of index for ``count`` vectors of ``dim``."""
    if count < FLAT_BELOW:
        return Family("Flat")
    if count < IVF_FLAT_BELOW:
        return Family("IVFFlat", min(4096, count // 100))
    pq_m = max(m for m in range(1, PQ_M + 1) if dim % m == 0)
    return Family("IVFPQ", min(8192, count // 200), pq_m)


def training_size(family: Family, count: int) -> int:
    """Return how many of ``count`` vectors a training sees."""
    if family.nlist is None:
        return 0
    return min(count, TRAINING_A_LIST * max(family.nlist, _CODES if family.pq_m else 0))


def build_index(family: Family, vectors: NDArray[np.floating]) -> Any:
    """Return an index over ``vectors``, shape ``(n, dim)``; the same vectors give the same index."""
    index = _empty(family, vectors.shape[1])
    if not index.is_trained:
        size = training_size(family, len(vectors))
        sample = np.random.default_rng(_SEED).choice(len(vectors), size, replace=False)
        index.cp.seed, index.cp.niter = _SEED, _ROUNDS
        index.train(vectors[np.sort(sample)].astype(np.float32))
    for _, block in blocks(vectors):
        index.add(block)
    return index


def _empty(family: Family, dim: int) -> Any:
    faiss = load_faiss()
    metric = faiss.METRIC_INNER_PRODUCT
    if family.nlist is None:
        return faiss.IndexFlatIP(dim)
    coarse = faiss.IndexFlatIP(dim)
    if family.pq_m is None:
        index = faiss.IndexIVFFlat(coarse, dim, family.nlist, metric)
    else:
        index = faiss.IndexIVFPQ(coarse, dim, family.nlist, family.pq_m, 8, metric)
    coarse.this.disown()
    index.own_fields = True
    return index


def blocks(vectors: NDArray[np.floating]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (first position, vectors in float32), a bounded number at a time."""
    for start in range(0, len(vectors), _BLOCK):
        yield start, vectors[start : start + _BLOCK].astype(np.float32)
