"""The traces of a data directory: where they go, and how they are read back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codeintel_rev.errors import NotFound

if TYPE_CHECKING:
    import duckdb

    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.config.settings import TraceConfig
    from codeintel_rev.observability.answer_tracer import AnswerTracer
    from codeintel_rev.observability.trace_journal import TraceJournal

Row = dict[str, Any]

LONG_AGO = datetime.min.replace(tzinfo=UTC)

_TOLD = "SELECT * REPLACE (strftime(timezone('UTC', timestamp), '%Y-%m-%dT%H:%M:%S.%gZ') AS timestamp) FROM"

_LIST = """
SELECT trace_id, timestamp, query, total_latency_ms, confidence, limits, status FROM traces
WHERE total_latency_ms >= $slow AND confidence <= $confidence AND timestamp >= $since
  AND ($word = '' OR list_contains(limits, $word))
ORDER BY timestamp DESC, trace_id LIMIT $limit
"""


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which traces are listed; the newest come first."""

    slow_ms: float = 0.0
    limit_word: str = ""
    max_confidence: float = 1.0
    since: datetime = LONG_AGO
    limit: int = 20


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
    )


class TraceReader:
    """SQL over the traces of a folder: a view ``traces`` with each trace once."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        """Open what is there, after the journal's lines were made a file where that is possible."""
        from codeintel_rev.observability.trace_files import tidy, trace_paths
        from codeintel_rev.observability.trace_journal import drain

        with suppress(OSError):  # a folder that cannot be written can still be read
            drain(folder)
            tidy(folder, datetime.now(UTC).date(), keep_days)
        self._paths = [str(path) for path in trace_paths(folder)]

    def rows(self, wanted: TraceFilter) -> list[Row]:
        """Return the traces that the filter lets through, a few columns each."""
        values = {
            "slow": wanted.slow_ms,
            "word": wanted.limit_word,
            "confidence": wanted.max_confidence,
            "since": wanted.since,
            "limit": wanted.limit,
        }
        return self._query(_LIST, values)

    def row(self, trace_id: str) -> Row:
        """Return one whole trace, named by its id or an unmistakable beginning of it.

        Raises ``NotFound`` when there is none, or more than one.
        """
        found = self._query(
            "SELECT * FROM traces WHERE starts_with(trace_id, $name) LIMIT 2", {"name": trace_id}
        )
        if len(found) != 1:
            raise NotFound(
                f"{'several traces begin' if found else 'no trace begins'} with {trace_id!r}",
                hint="`codeintel traces` lists them",
                value=trace_id,
            )
        return found[0]

    def _query(self, sql: str, values: dict[str, Any]) -> list[Row]:
        if not self._paths:
            return []
        import duckdb

        with duckdb.connect() as connection:
            connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
            connection.from_parquet(self._paths, union_by_name=True).create_view("files")
            connection.execute(
                "CREATE VIEW traces AS SELECT DISTINCT ON (trace_id) * FROM files ORDER BY trace_id"
            )
            return _rows(connection.execute(f"{_TOLD} ({sql})", values))


def _rows(result: duckdb.DuckDBPyConnection) -> list[Row]:
    names: Sequence[str] = [column[0] for column in result.description or ()]
    return [_as_told(dict(zip(names, row, strict=True))) for row in result.fetchall()]


def _as_told(row: Row) -> Row:
    """Return a row as JSON shows it: ids are strings, for JavaScript rounds them."""
    told = dict(row)
    for name, value in row.items():
        if name.endswith("_doc_ids"):
            told[name] = [str(item) for item in value or ()]
    return told
