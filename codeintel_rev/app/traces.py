"""The traces of a data directory: where they go, and which searches leave one."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from codeintel_rev.types import Mode, Scope, SearchResult

if TYPE_CHECKING:
    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.config.settings import TraceConfig
    from codeintel_rev.observability.answer_tracer import AnswerTracer
    from codeintel_rev.observability.search_trace import SearchTrace
    from codeintel_rev.observability.trace_journal import TraceJournal


class SearchSink(Protocol):
    """Takes the record of a search; never raises and never waits."""

    def emit(self, trace: SearchTrace) -> None:
        """Take one record."""
        ...


def trace_folder(data_dir: Path) -> Path:
    """Return the folder that holds the traces of a data directory."""
    return data_dir / "traces"


def journal_of(index: LocalIndex) -> TraceJournal | None:
    """Return the sink of a process that answers few questions; ``None`` when traces are off."""
    if not index.settings.trace.enabled:
        return None
    from codeintel_rev.observability.trace_journal import TraceJournal

    return TraceJournal(trace_folder(index.data_dir))


def tracer_of(data_dir: Path, settings: TraceConfig) -> AnswerTracer | None:
    """Return the sink of a process that serves; the caller closes it. ``None`` when they are off."""
    if not settings.enabled:
        return None
    from codeintel_rev.observability.answer_tracer import AnswerTracer

    return AnswerTracer(
        trace_folder(data_dir),
        batch_size=settings.batch_size,
        flush_seconds=settings.flush_seconds,
        capacity=settings.capacity,
        keep_days=settings.keep_days,
    )


def search(
    index: LocalIndex,
    sink: Callable[[], SearchSink | None],
    query: str,
    *,
    limit: int,
    mode: Mode = "hybrid",
    scope: Scope | None = None,
    explain: bool = False,
    session_id: str | None = None,
    trace_id: str | None = None,
) -> SearchResult:
    """Return what ``index.search`` finds, and of a sample leave a trace; raises what that raises.

    The trace is named ``trace_id`` where that was told already. ``sink`` is asked for only then, for opening one costs a short-lived process its time.
    """
    ask = partial(index.search, query, limit=limit, mode=mode, scope=scope, explain=explain)
    settings = index.settings.trace
    taking = sink() if settings.enabled and random.random() < settings.search_share else None  # noqa: S311
    if taking is None:
        return ask()
    from codeintel_rev.app.stage_times import StageTimes

    began = datetime.now(UTC)
    found = ask(times=StageTimes())
    taking.emit(_search_trace(found, began, mode, scope, session_id, trace_id))
    return found


def _search_trace(
    found: SearchResult,
    began: datetime,
    mode: Mode,
    scope: Scope | None,
    session_id: str | None,
    trace_id: str | None,
) -> SearchTrace:
    from codeintel_rev.observability.answer_trace import new_trace_id, scope_text
    from codeintel_rev.observability.search_trace import SearchTrace

    ms = found.stage_ms
    return SearchTrace(
        trace_id=trace_id or new_trace_id(),
        session_id=session_id,
        timestamp=began,
        query=found.query.encode("utf-8", "replace").decode(),
        scope=scope_text(scope),
        mode=mode,
        embed_latency_ms=ms.get("embed"),
        faiss_latency_ms=ms.get("faiss"),
        bm25_latency_ms=ms.get("bm25"),
        fusion_latency_ms=ms.get("fusion"),
        hydration_latency_ms=ms.get("hydration"),
        total_latency_ms=found.took_ms,
        top_k_doc_ids=tuple(hit.doc_id for hit in found.hits),
        limits=found.limits,
        splade_latency_ms=ms.get("splade"),
    )
