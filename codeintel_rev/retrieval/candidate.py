"""What the ranking is handed of the chunks that channels found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.traits import Traits


class Candidates(NamedTuple):
    """Chunks that channels found: arrays of one length."""

    rows: NDArray[np.int64]
    traits: Traits
    dense: NDArray[np.float64]
    """Cosine of a chunk's vector and the query's."""
    words: NDArray[np.float64]
    """BM25 scores."""
    is_named: NDArray[np.bool_]
    """Whether a chunk defines what the query names, or holds what it quotes."""
    sparse: NDArray[np.float64]
    """SPLADE scores, where there is that channel."""

    def where(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return those with ``kept``."""
        return Candidates(
            rows=self.rows[kept],
            traits=self.traits._replace(table=self.traits.table[kept]),
            dense=self.dense[kept],
            words=self.words[kept],
            is_named=self.is_named[kept],
            sparse=self.sparse[kept],
        )
