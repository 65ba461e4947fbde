"""The record that a search without an answer leaves: lighter than an answer's, and of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SearchTrace:
    """How one search went; a latency is ``None`` when its stage did not run."""

    trace_id: str
    """Names the record."""
    session_id: str | None
    """Whose session it was, where there was one."""
    timestamp: datetime
    """When the query came in, in UTC."""
    query: str
    """The query as it was asked."""
    scope: str | None
    """The scope as JSON."""
    mode: str
    """How it was to be retrieved: ``hybrid``, ``dense``, ``lexical`` or ``exact``."""
    embed_latency_ms: float | None
    """Turning the query into a vector."""
    faiss_latency_ms: float | None
    """The dense channel."""
    bm25_latency_ms: float | None
    """The channel of words."""
    fusion_latency_ms: float | None
    """Fusing and ranking what the channels found."""
    hydration_latency_ms: float | None
    """Reading the text of the best hits."""
    total_latency_ms: float
    """From the query to its hits."""
    top_k_doc_ids: tuple[int, ...]
    """The hits, best first."""
    limits: tuple[str, ...]
    """What held the search back, as limit words."""
    splade_latency_ms: float | None = None
    """The channel of implied terms."""
