"""The files that traces are kept in: Parquet, one a flush, joined to one a day later.

``<day>-<worker>-<number>.parquet`` is a flush, ``<day>.parquet`` a whole day; those of searches lie
in a folder of their own. A file is there whole or not at all; when a day was joined and its flushes
not yet deleted, rows are there twice, so that readers take each ``trace_id`` once.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from codeintel_rev.errors import Busy
from codeintel_rev.io import durability, file_lock
from codeintel_rev.observability.search_trace import SearchTrace
from codeintel_rev.observability.trace_schema import VERSION, Trace, schema_of, version_of

if TYPE_CHECKING:
    import pyarrow as pa

MANY_FLUSHES = 64
"""So many flushes of one day are joined before the day is over."""

_FLUSH = re.compile(r"(\d{4}-\d\d-\d\d)-.+\.parquet")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)\.parquet")


def folder_of(root: Path, record: type[Trace]) -> Path:
    """Return where the files of a kind of record lie below the folder of all traces."""
    return root / "searches" if record is SearchTrace else root


def write_flush(root: Path, worker: str, number: int, traces: Sequence[Trace]) -> None:
    """Write traces as one file for each kind and day; raises ``OSError`` when that fails."""
    import pyarrow as pa

    def place(trace: Trace) -> tuple[str, str]:
        return type(trace).__name__, trace.timestamp.date().isoformat()

    for (_, day), found in groupby(sorted(traces, key=place), key=place):
        group = list(found)
        folder = folder_of(root, type(group[0]))
        folder.mkdir(parents=True, exist_ok=True)
        schema = schema_of(type(group[0]))
        table = pa.Table.from_pylist([asdict(trace) for trace in group], schema=schema)
        _publish(folder / f"{day}-{worker}-{number:06}.parquet", table)


def trace_paths(folder: Path) -> list[Path]:
    """Return every file of traces, oldest day first."""
    found = [*folder.glob("*.parquet")] if folder.is_dir() else []
    return sorted(
        path for path in found if _FLUSH.fullmatch(path.name) or _DAY.fullmatch(path.name)
    )


def is_sound(path: Path, *, whole: bool = False) -> bool:
    """Return whether this version can read a file: its end, or all of it where ``whole`` is asked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if whole:
            pq.read_table(path)
        return version_of(pq.read_schema(path)) <= VERSION
    except (pa.ArrowException, OSError, ValueError):
        return False


def tidy(folder: Path, record: type[Trace], today: date, keep_days: int) -> None:
    """Join the flushes of days that are over or have many, and delete days older than ``keep_days``.

    Does nothing while another process does it. Flushes go only when their day's file is durable;
    what cannot be read is left as it is.
    """
    if not folder.is_dir():
        return
    with suppress(Busy), file_lock.hold(folder / "locks" / "tidy", timeout_s=0):
        oldest = (today - timedelta(days=keep_days)).isoformat()
        for path in trace_paths(folder):
            if path.name[:10] < oldest:
                path.unlink(missing_ok=True)
        for path in folder.glob(".*.new"):  # of a process that was killed
            if path.name[1:11] < today.isoformat():
                path.unlink(missing_ok=True)
        for day, flushes in _joinable(folder, today):
            _join(folder / f"{day}.parquet", flushes, schema_of(record))


def _joinable(folder: Path, today: date) -> Iterator[tuple[str, list[Path]]]:
    """Yield each day that can be made one file, with its flushes."""
    flushes = [path for path in trace_paths(folder) if _FLUSH.fullmatch(path.name)]
    for day, of_day in groupby(flushes, key=lambda path: path.name[:10]):
        found = list(of_day)
        if day < today.isoformat() or len(found) >= MANY_FLUSHES:
            yield day, found


def _join(whole: Path, flushes: Sequence[Path], schema: pa.Schema) -> None:
    import pyarrow as pa

    if whole.exists() and not is_sound(whole, whole=True):
        return
    parts = [path for path in flushes if is_sound(path, whole=True)]
    if not parts:
        return
    sources = [*([whole] if whole.exists() else []), *parts]
    seen: set[str] = set()
    _publish(whole, pa.concat_tables([_unseen(path, schema, seen) for path in sources]))
    for part in parts:
        part.unlink(missing_ok=True)


def _unseen(path: Path, schema: pa.Schema, seen: set[str]) -> pa.Table:
    """Return the rows of a file whose ids were not seen before; now they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path, schema=schema)
    fresh = []
    for trace_id in table["trace_id"].to_pylist():
        fresh.append(trace_id not in seen)
        seen.add(trace_id)
    return table.filter(pa.array(fresh, pa.bool_()))


def _publish(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    # two readers may write the same lines to the same file at once
    new = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        pq.write_table(table, new, compression="zstd")
        durability.sync(new)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    durability.sync(path.parent)
