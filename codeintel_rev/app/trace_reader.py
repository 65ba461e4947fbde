"""Traces read back: SQL over the files of a data directory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from codeintel_rev.errors import NotFound
from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.search_trace import SearchTrace
from codeintel_rev.observability.trace_files import folder_of, is_sound, tidy, trace_paths
from codeintel_rev.observability.trace_journal import drain
from codeintel_rev.observability.trace_schema import KINDS, Trace, schema_of

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

_TOLD = "SELECT * REPLACE (strftime(timezone('UTC', timestamp), '%Y-%m-%dT%H:%M:%S.%gZ') AS timestamp) FROM"

_CHOSEN = """
WHERE total_latency_ms >= $slow AND timestamp >= $since
  AND ($word = '' OR list_contains(limits, $word))
ORDER BY timestamp DESC, trace_id LIMIT $limit
"""
_ANSWERS = f"""
SELECT trace_id, timestamp, query, total_latency_ms, confidence, limits, status
FROM (FROM traces WHERE confidence <= $confidence) {_CHOSEN}
"""  # noqa: S608  constants alone
_SEARCHES = f"""
SELECT trace_id, timestamp, query, total_latency_ms, len(top_k_doc_ids) AS hits, limits
FROM traces {_CHOSEN}
"""  # noqa: S608
_WORDS = """
SELECT word, max(timestamp) AS timestamp FROM (SELECT timestamp, unnest(limits) AS word FROM traces)
GROUP BY word ORDER BY word
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which traces are listed; the newest come first."""

    slow_ms: float = 0.0
    limit_word: str = ""
    max_confidence: float = 1.0
    """Of answers; searches have none."""
    since: datetime = LONG_AGO
    limit: int = 20


class TraceReader:
    """SQL over traces, in which each is there once; what cannot be read is passed over."""

    def __init__(self, root: Path, keep_days: int) -> None:
        """Open what is there, after the journals' lines were made files where that is possible."""
        self._root = root
        self.damaged: list[Path] = []
        """Files that were passed over: of a later version, or broken."""
        for record in KINDS:
            with suppress(OSError):  # a folder that cannot be written can still be read
                drain(root, record)
                tidy(folder_of(root, record), record, datetime.now(UTC).date(), keep_days)

    def answers(self, wanted: TraceFilter) -> list[Row]:
        """Return the answers that the filter lets through, a few columns each."""
        values = _values(wanted) | {"confidence": wanted.max_confidence}
        return self._query(AnswerTrace, _ANSWERS, values)

    def searches(self, wanted: TraceFilter) -> list[Row]:
        """Return the searches that the filter lets through, a few columns each."""
        return self._query(SearchTrace, _SEARCHES, _values(wanted))

    def words(self, *, searches: bool = False) -> list[str]:
        """Return the limit words that any trace has, in order."""
        record: type[Trace] = SearchTrace if searches else AnswerTrace
        return [row["word"] for row in self._query(record, _WORDS, {})]

    def row(self, trace_id: str) -> Row:
        """Return one whole trace, named by its id or an unmistakable beginning of it.

        Raises ``NotFound`` when there is none, or more than one.
        """
        sql = "SELECT * FROM traces WHERE starts_with(trace_id, $name) LIMIT 2"
        found = self._query(AnswerTrace, sql, {"name": trace_id})
        found += self._query(SearchTrace, sql, {"name": trace_id})
        if len(found) != 1:
            raise NotFound(
                f"{'several traces begin' if found else 'no trace begins'} with {trace_id!r}",
                hint="`codeintel traces` lists them",
                value=trace_id,
            )
        return found[0]

    def _query(self, record: type[Trace], sql: str, values: dict[str, Any]) -> list[Row]:
        folder, schema = folder_of(self._root, record), schema_of(record)
        paths = self._sound(folder, whole=False)
        try:
            return _rows(paths, schema, sql, values)
        except duckdb.Error as error:  # broken inside, or joined by another process just now
            log.info("the traces are looked at one by one: %s", error)
            return _rows(self._sound(folder, whole=True), schema, sql, values)

    def _sound(self, folder: Path, *, whole: bool) -> list[Path]:
        """Return the files that can be read, and note the others."""
        sound = []
        for path in trace_paths(folder):
            if is_sound(path, whole=whole):
                sound.append(path)
            elif path.exists() and path not in self.damaged:
                self.damaged.append(path)
        return sound


def _values(wanted: TraceFilter) -> dict[str, Any]:
    return {
        "slow": wanted.slow_ms,
        "word": wanted.limit_word,
        "since": wanted.since,
        "limit": wanted.limit,
    }


def _rows(paths: Sequence[Path], schema: pa.Schema, sql: str, values: dict[str, Any]) -> list[Row]:
    """Return what a query finds in the view ``traces`` of files, some of which may lack columns."""
    if not paths:
        return []
    names = ", ".join(schema.names)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
        connection.register("columns", schema.empty_table())
        connection.from_parquet(list(map(str, paths)), union_by_name=True).create_view("files")
        connection.execute(
            f"CREATE VIEW traces AS SELECT DISTINCT ON (trace_id) {names} FROM "  # noqa: S608
            "(FROM columns UNION ALL BY NAME FROM files) ORDER BY trace_id"
        )
        result = connection.execute(f"{_TOLD} ({sql})", values)
        told = [column[0] for column in result.description or ()]
        return [_as_told(dict(zip(told, row, strict=True))) for row in result.fetchall()]


def _as_told(row: Row) -> Row:
    """Return a row as JSON shows it: ids are strings, for JavaScript rounds them."""
    told = dict(row)
    for name, value in row.items():
        if name.endswith("_doc_ids"):
            told[name] = [str(item) for item in value or ()]
    return told
