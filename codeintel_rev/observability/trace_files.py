"""The files that traces are kept in: Parquet, one a flush, joined to one a day later.

``<day>-<worker>-<number>.parquet`` is a flush, ``<day>.parquet`` a whole day. A file is there whole
or not at all; when a day was joined and its flushes not yet deleted, rows are there twice, so that
readers take each ``trace_id`` once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from codeintel_rev.errors import Busy
from codeintel_rev.io import durability, file_lock
from codeintel_rev.observability.answer_trace import AnswerTrace

if TYPE_CHECKING:
    import pyarrow as pa

_FLUSH = re.compile(r"(\d{4}-\d\d-\d\d)-.+\.parquet")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)\.parquet")


def arrow_schema() -> pa.Schema:
    """Return the columns of a trace file; a column is only ever added, at the end."""
    import pyarrow as pa

    text, number, flag = pa.string(), pa.float64(), pa.bool_()
    count, ids = pa.int64(), pa.list_(pa.int64())
    columns = {
        "trace_id": text,
        "session_id": text,
        "timestamp": pa.timestamp("us", tz="UTC"),
        "query": text,
        "scope": text,
        "mode": text,
        "retrieval": text,
        "synthesizer": text,
        "generation": text,
        "sequence": text,
        "stale": flag,
        "embed_latency_ms": number,
        "faiss_latency_ms": number,
        "bm25_latency_ms": number,
        "splade_latency_ms": number,
        "fusion_latency_ms": number,
        "hydration_latency_ms": number,
        "rerank_latency_ms": number,
        "synthesis_latency_ms": number,
        "total_latency_ms": number,
        "candidates": count,
        "top_k_doc_ids": ids,
        "reranked_doc_ids": ids,
        "cited_doc_ids": ids,
        "model_id": text,
        "tokens_in": count,
        "tokens_out": count,
        "ttft_ms": number,
        "tps": number,
        "confidence": number,
        "limits": pa.list_(text),
        "status": text,
        "error": text,
    }
    return pa.schema(list(columns.items()))


def write_flush(folder: Path, worker: str, number: int, traces: Sequence[AnswerTrace]) -> None:
    """Write traces as one file for each day among them; raises ``OSError`` when that fails."""
    import pyarrow as pa

    folder.mkdir(parents=True, exist_ok=True)
    by_day = sorted(traces, key=_day_of)
    for day, of_day in groupby(by_day, key=_day_of):
        table = pa.Table.from_pylist([asdict(trace) for trace in of_day], schema=arrow_schema())
        _publish(folder / f"{day}-{worker}-{number:06}.parquet", table)


def trace_paths(folder: Path) -> list[Path]:
    """Return every file of traces, oldest day first."""
    found = [*folder.glob("*.parquet")] if folder.is_dir() else []
    return sorted(
        path for path in found if _FLUSH.fullmatch(path.name) or _DAY.fullmatch(path.name)
    )


def tidy(folder: Path, today: date, keep_days: int) -> None:
    """Join the flushes of days that are over, and delete days older than ``keep_days``.

    Does nothing while another process does it. Flushes go only when their day's file is durable.
    """
    if not folder.is_dir():
        return
    with suppress(Busy), file_lock.hold(folder / "locks" / "tidy", timeout_s=0):
        oldest = (today - timedelta(days=keep_days)).isoformat()
        for path in trace_paths(folder):
            if path.name[:10] < oldest:
                path.unlink(missing_ok=True)
        over = [p for p in trace_paths(folder) if _FLUSH.fullmatch(p.name)]
        over = [p for p in over if p.name[:10] < today.isoformat()]
        for day, flushes in groupby(over, key=lambda path: path.name[:10]):
            _join(folder / f"{day}.parquet", list(flushes))


def _join(whole: Path, flushes: Iterable[Path]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = list(flushes)
    sources = [*([whole] if whole.exists() else []), *parts]
    tables = [pq.read_table(path, schema=arrow_schema()) for path in sources]
    seen: dict[str, dict[str, object]] = {}
    for row in pa.concat_tables(tables).to_pylist():
        seen.setdefault(row["trace_id"], row)
    _publish(whole, pa.Table.from_pylist(list(seen.values()), schema=arrow_schema()))
    for part in parts:
        part.unlink(missing_ok=True)


def _publish(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    new = path.with_name(f".{path.name}.new")
    try:
        pq.write_table(table, new, compression="zstd")
        durability.sync(new)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    durability.sync(path.parent)


def _day_of(trace: AnswerTrace) -> str:
    return trace.timestamp.date().isoformat()
