"""What one view of a repository is searched with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.ports import (
    ChunkCatalog,
    ChunkTexts,
    LexicalIndex,
    SparseChannel,
    VectorIndex,
)
from codeintel_rev.retrieval.traits import TraitMemory


class Channels(NamedTuple):
    """The parts that one view of a repository is searched with."""

    vectors: VectorIndex
    words: LexicalIndex
    catalog: ChunkCatalog
    texts: ChunkTexts
    traits: TraitMemory
    mask: NDArray[np.bool_]
    """Rows that are live and in scope."""
    sparse: SparseChannel | None = None
    """Implied terms, where a SPLADE model is configured."""

    def within(self, rows: Iterable[int]) -> list[int]:
        """Return those of ``rows`` that are in scope."""
        return [row for row in rows if row < len(self.mask) and self.mask[row]]
