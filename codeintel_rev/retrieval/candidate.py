"""What the ranking is handed of a chunk."""

from __future__ import annotations

from typing import NamedTuple

from codeintel_rev.types import ChunkHead


class Candidate(NamedTuple):
    """A chunk that a channel found."""

    head: ChunkHead
    dense: float = 0.0
    """Cosine of its vector and the query's."""
    words: float = 0.0
    """Its BM25 score."""
    is_named: bool = False
    """Whether it defines what the query names, or holds what it quotes."""
    sparse: float = 0.0
    """Its SPLADE score, where there is that channel."""
