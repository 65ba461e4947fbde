"""Searching a FAISS index: candidates from the index, their scores from the vectors themselves.

Since scores are computed in one way, no order depends on the kind of index, on its device, or on
how many of its lists were read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.faiss_build import Matrix, blocks
from codeintel_rev.io.faiss_files import load_faiss

TARGET_RECALL = 0.96
"""Share of the true ten nearest that a search has to find at build: a percent more than is promised,
which is what some hundred queries may be off by."""

REFINED = 400
"""Candidates of a quantised index whose true scores are computed."""

EXACT_BELOW = 20_000
"""A scope of fewer vectors is compared one by one."""

_WIDENING = 0.35
"""How the lists read grow as the share in scope falls: where one vector in ten is in scope, 2.2 times
as many. By the square root, recall was at most 0.01 higher for half as much time again; by the cube
root, it fell below 0.95 in scopes of neighbours, and with no more lists than ever, to 0.86."""

_K = 10

_STAND_INS = 100
_STAND_IN_RECALL = 0.99
"""Sums of eight stored vectors are as far from all others as a query is, but easier to find the
nearest of: where they reach 0.99, real queries reached 0.95."""

_SEED = 0

Gather = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Returns the vectors at positions."""


class Width(NamedTuple):
    """How many lists a search reads, and what share of the ten nearest it finds then."""

    nprobe: int | None = None
    recall_at_10: float | None = None
    """``None`` where it was not measured on queries."""


def propose(
    index: Any,
    query: NDArray[np.float32],
    k: int,
    *,
    nprobe: int | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return positions that are likely among the ``k`` nearest with ``mask[position]``.

    The scores with them are what the index makes of its own copy of the vectors.

    With a mask, more lists are read, by ``_WIDENING``.
    """
    faiss = load_faiss()
    arguments: dict[str, Any] = {}
    if mask is not None:
        packed = np.packbits(mask, bitorder="little")
        arguments["sel"] = faiss.IDSelectorBitmap(len(packed), faiss.swig_ptr(packed))
    if nprobe is not None:
        if mask is not None:
            kept = max(1, int(np.count_nonzero(mask)))
            nprobe = min(index.nlist, int(nprobe * (len(mask) / kept) ** _WIDENING))
        arguments = {"params": faiss.SearchParametersIVF(nprobe=nprobe, **arguments)}
    elif arguments:
        arguments = {"params": faiss.SearchParameters(**arguments)}
    scores, found = index.search(query[np.newaxis], min(k, index.ntotal), **arguments)
    known = found[0] >= 0
    return found[0][known], scores[0][known]


def rescore(
    gather: Gather, query: NDArray[np.float32], positions: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ``k`` best of ``positions`` and their scores, best first, ties by position."""
    positions = np.sort(positions)
    scores: NDArray[np.float32] = gather(positions).astype(np.float32) @ query
    order = np.argsort(-scores, kind="stable")[:k]
    return positions[order], scores[order]


def choose_width(index: Any, vectors: Matrix, queries: NDArray[np.float32] | None = None) -> Width:
    """Return the fewest lists with which queries find enough of their nearest.

    Without ``queries``, shape ``(n, dim)``, sums of stored vectors stand in for them.
    """
    asked = _stand_ins(vectors) if queries is None else queries
    target = _STAND_IN_RECALL if queries is None else TARGET_RECALL
    true = nearest(vectors, asked, _K)
    nprobe = 1
    while True:
        recall = _recall(index, vectors, asked, true, nprobe)
        if recall >= target or nprobe >= index.nlist:
            return Width(nprobe, None if queries is None else round(recall, 4))
        nprobe = min(index.nlist, max(nprobe + 1, nprobe * 5 // 4))


def _stand_ins(vectors: Matrix) -> NDArray[np.float32]:
    drawn = np.random.default_rng(_SEED).integers(vectors.shape[0], size=(_STAND_INS, 8))
    sums: NDArray[np.float32] = np.array([vectors[np.sort(at)].sum(0, np.float32) for at in drawn])
    return sums


def nearest(vectors: Matrix, queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the true ``k`` nearest positions of each query, in no order, shape ``(q, k)``."""
    k = min(k, vectors.shape[0])
    positions = np.zeros((len(queries), 0), dtype=np.int64)
    scores = np.zeros((len(queries), 0), dtype=np.float32)
    for start, block in blocks(vectors):
        here = np.arange(start, start + len(block))
        scores = np.hstack([scores, queries @ block.T])
        positions = np.hstack([positions, np.broadcast_to(here, (len(queries), len(here)))])
        kept = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        scores = np.take_along_axis(scores, kept, axis=1)
        positions = np.take_along_axis(positions, kept, axis=1)
    return positions


def _recall(
    index: Any,
    vectors: Matrix,
    queries: NDArray[np.float32],
    true: NDArray[np.int64],
    nprobe: int,
) -> float:
    found = 0
    for query, wanted in zip(queries, true, strict=True):
        likely, _ = propose(index, query, REFINED, nprobe=nprobe)
        top, _ = rescore(vectors.__getitem__, query, likely, _K)
        found += len(np.intersect1d(top, wanted))
    return found / max(1, true.size)
