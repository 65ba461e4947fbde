"""Exact dense search: every vector is compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 8_192
"""Rows widened to float32 at a time: 8 MiB at 256 dimensions, so that the copy stays in cache."""


class FlatSearcher:
    """Inner product over blocks of fp16 vectors (``VectorIndex``)."""

    def __init__(self, blocks: Sequence[tuple[int, NDArray[np.float16]]]) -> None:
        """Search over ``blocks``: (first row, vectors) in row order."""
        self._blocks = blocks

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row."""
        rows = np.flatnonzero(mask)
        scores = np.empty(len(mask), dtype=np.float32)
        for first, block in self._blocks:
            for start in range(0, len(block), _BLOCK_ROWS):
                part = block[start : start + _BLOCK_ROWS]
                end = min(first + start + len(part), len(mask))
                at = first + start
                if at < end and mask[at:end].any():
                    scores[at:end] = part[: end - at].astype(np.float32) @ query
        return best(rows, scores[rows], k)


def best(
    rows: NDArray[np.int64], scores: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ``k`` highest scores and their rows, best first, ties by row."""
    if len(rows) > k:
        # everything that ties with the k-th score competes, so that the cut does not depend
        # on how the partition happened to order equal scores
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= threshold)
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
