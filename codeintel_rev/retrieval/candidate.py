"""What the ranking is handed of the chunks that channels found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.traits import TraitMemory, Traits
from codeintel_rev.types import ChunkHead


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

    @classmethod
    def of(cls, heads: Sequence[ChunkHead], **columns: Any) -> Candidates:
        """Return the candidates with these heads; a column that is not given is zero."""
        known = {head.row: head for head in heads}
        rows = np.array(list(known), dtype=np.int64)
        zeros = np.zeros(len(rows))
        given = {name: np.asarray(column) for name, column in columns.items()}
        usual = {"dense": zeros, "words": zeros, "is_named": zeros.astype(bool), "sparse": zeros}
        return cls(rows, TraitMemory().of(rows, lambda _: known), **(usual | given))

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
