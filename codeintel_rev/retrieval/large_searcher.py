"""Dense search where comparing every vector takes too long: an index proposes, vectors decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.ports import CandidateIndex
from codeintel_rev.retrieval.flat_searcher import FlatSearcher

EXACT_BELOW = 20_000
"""A scope of fewer vectors is compared one by one: lists are filled with neighbours, and a scope may
have few of its own near a query."""

REFINED_A_HIT = 20
"""Positions proposed for each hit wanted, of which the best are taken."""

REFINED_AT_LEAST = 400

Blocks = Sequence[tuple[int, NDArray[np.float16]]]
Gather = Callable[[NDArray[np.int64]], NDArray[np.float16]]


class LargeSearcher:
    """Finds what is likely nearest: in the vectors of ``index`` by it, in newer ones by a scan."""

    def __init__(self, index: CandidateIndex, blocks: Blocks, gather: Gather) -> None:
        """Search over ``blocks``: (first position, vectors); ``gather`` fetches some of them."""
        self._index = index
        self._gather = gather
        self._newer = FlatSearcher(list(_beyond(index.count, blocks)))

    def propose(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return positions with ``mask[position]`` that are likely to hold the ``k`` nearest."""
        count = self._index.count
        if len(mask) <= count:
            return self._among_indexed(query, k, mask)
        newer, _ = self._newer.search(query, k, mask[count:])
        return np.concatenate([self._among_indexed(query, k, mask[:count]), newer + count])

    def _among_indexed(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        if np.count_nonzero(mask) < EXACT_BELOW:
            positions = np.flatnonzero(mask)
            in_scope = np.ones(len(positions), dtype=np.bool_)
            found, _ = FlatSearcher([(0, self._gather(positions))]).search(query, k, in_scope)
            nearest: NDArray[np.int64] = positions[found]
            return nearest
        if len(mask) < self._index.count:  # rows that the view does not know yet
            mask = np.pad(mask, (0, self._index.count - len(mask)))
        return self._index.propose(query, max(REFINED_AT_LEAST, k * REFINED_A_HIT), mask)


def _beyond(count: int, blocks: Blocks) -> Sequence[tuple[int, NDArray[np.float16]]]:
    """Return the vectors from position ``count`` on, their positions counted from there."""
    cut = [(first, block, max(count - first, 0)) for first, block in blocks]
    return [(first + at - count, block[at:]) for first, block, at in cut if at < len(block)]
