"""The record that each answer leaves: flat, so that it is one row of a table."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from codeintel_rev.types import Scope

if TYPE_CHECKING:
    from codeintel_rev.observability.answer_tracer import AnswerTracer

__all__ = ["AnswerTrace", "AnswerTracer", "json_map", "new_trace_id", "scope_text"]


def __getattr__(name: str) -> Any:
    """Return ``AnswerTracer``, which writes what is described here, and Arrow with it, when asked."""
    if name == "AnswerTracer":
        from codeintel_rev.observability.answer_tracer import AnswerTracer

        return AnswerTracer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def new_trace_id() -> str:
    """Return a name for what will be told of one answer or search."""
    return f"{random.getrandbits(128):032x}"


@dataclass(frozen=True, slots=True)
class AnswerTrace:
    """How one answer came to be; a latency is ``None`` when its stage was skipped or too late."""

    trace_id: str
    """Also in the answer's envelope."""
    session_id: str | None
    """Whose session it was, where there was one."""
    timestamp: datetime
    """When the question came in, in UTC."""
    query: str
    """The question as it was asked."""
    scope: str | None
    """The scope as JSON."""
    mode: str
    """How it was to be retrieved: ``hybrid``, ``dense``, ``lexical`` or ``exact``."""
    retrieval: str
    """How it was retrieved, as in ``AnswerPlan.retrieval``."""
    synthesizer: str
    """Who wrote the text: ``extractive`` or ``chat``."""
    generation: str
    """JSON map of repositories to the number of their last compaction."""
    sequence: str
    """JSON map of repositories to the number of their last write."""
    stale: bool
    """Whether the index or a snippet was behind the files."""
    embed_latency_ms: float | None
    """Turning the question into a vector."""
    faiss_latency_ms: float | None
    """The dense channel; with the embedding where that is not measured by itself."""
    bm25_latency_ms: float | None
    """The channel of words."""
    splade_latency_ms: float | None
    """The learned sparse channel."""
    fusion_latency_ms: float | None
    """Fusing and ranking what the channels found."""
    hydration_latency_ms: float | None
    """Reading the text of the best hits."""
    rerank_latency_ms: float | None
    """Reordering by a model."""
    synthesis_latency_ms: float | None
    """From the request for a completion to its end."""
    total_latency_ms: float
    """From the question to the envelope."""
    candidates: int
    """Hits that each channel was asked for."""
    top_k_doc_ids: tuple[int, ...]
    """The best hits of the retrieval, best first."""
    reranked_doc_ids: tuple[int, ...]
    """All hits in the reranker's order; empty when none ran."""
    cited_doc_ids: tuple[int, ...]
    """The snippets that the answer cites, in the order of their first mention."""
    model_id: str | None
    """The language model that was asked."""
    tokens_in: int | None
    """About how many tokens the prompt had."""
    tokens_out: int | None
    """How many tokens the model sent."""
    ttft_ms: float | None
    """From the request for a completion to its first text."""
    tps: float | None
    """Tokens a second after the first."""
    confidence: float
    """As in the envelope."""
    limits: tuple[str, ...]
    """What held the answer back, as limit words."""
    status: str
    """``ok``, or ``error`` when no envelope was delivered."""
    error: str | None
    """Why there was no envelope."""
    cited_files: tuple[str, ...] = ()
    """The files of the citations, as ``repository:path``, in the order of their first mention."""

    def document(self) -> dict[str, Any]:
        """Return the record as JSON shows it: ids are strings, for JavaScript rounds them."""
        document = {name: getattr(self, name) for name in _NAMES}
        document["limits"] = list(self.limits)
        document["cited_files"] = list(self.cited_files)
        document["timestamp"] = self.timestamp.isoformat(timespec="milliseconds")
        for name, value in document.items():
            if name.endswith("_doc_ids"):
                document[name] = [str(item) for item in value]
        return document


_NAMES: Final = tuple(field.name for field in fields(AnswerTrace))


def scope_text(scope: Scope | None) -> str | None:
    """Return a scope as JSON; what no file format takes, as halves of characters, is escaped."""
    if scope is None:
        return None
    try:
        return msgspec.json.encode(scope).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(scope))


def json_map(numbers: Mapping[str, int]) -> str:
    """Return a map of names to numbers as JSON, in the order of the names."""
    return msgspec.json.encode(dict(numbers), order="sorted").decode()
