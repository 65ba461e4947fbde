"""SPLADE as a channel of search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.ports import SparseEncoder
from codeintel_rev.retrieval.impact_index import ImpactIndex


class SpladeSearcher:
    """Searches the rows that compaction indexed (``SparseChannel``); later ones have no part in it."""

    def __init__(self, encoder: SparseEncoder, index: ImpactIndex) -> None:
        self._encoder = encoder
        self._index = index

    def search(
        self, query: str, k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row."""
        (vector,) = self._encoder.encode([query])
        return self._index.search(vector, k, mask)
