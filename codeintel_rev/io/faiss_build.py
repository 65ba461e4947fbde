"""Building a FAISS index over fp16 vectors, which it knows by their position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

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

_QUERY_BITS = 8
"""Of a dimension of the query, where vectors have one; with the usual 4 a twelfth of the candidates
differs."""

_ROUNDS = 10
"""Of k-means; more do not raise recall."""

_SEED = 0
_BLOCK = 16_384
"""Vectors widened to float32 at a time."""


class Matrix(Protocol):
    """Vectors by position, an array or something that fetches them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many there are, and their length."""
        ...

    def __getitem__(self, at: Any, /) -> NDArray[np.floating]:
        """Return those of a slice, or of an array of positions."""
        ...


class Family(NamedTuple):
    """A kind of index and its size."""

    index_type: str
    """``Flat``, ``IVFFlat``, ``IVFPQ`` or ``IVFRaBitQ`` (a bit a dimension)."""
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


def build_index(family: Family, vectors: Matrix) -> Any:
    """Return an index over ``vectors``, shape ``(n, dim)``; the same vectors give the same index."""
    count, dim = vectors.shape
    index = _empty(family, dim)
    if not index.is_trained:
        size = training_size(family, count)
        sample = np.random.default_rng(_SEED).choice(count, size, replace=False)
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
    if family.index_type == "IVFRaBitQ":
        index = faiss.IndexIVFRaBitQ(coarse, dim, family.nlist, metric)
        index.qb = _QUERY_BITS
    elif family.pq_m is not None:
        index = faiss.IndexIVFPQ(coarse, dim, family.nlist, family.pq_m, 8, metric)
    else:
        index = faiss.IndexIVFFlat(coarse, dim, family.nlist, metric)
    coarse.this.disown()
    index.own_fields = True
    return index


def blocks(vectors: Matrix) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (first position, vectors in float32), a bounded number at a time."""
    for start in range(0, vectors.shape[0], _BLOCK):
        yield start, vectors[start : start + _BLOCK].astype(np.float32)
