"""The traces of short-lived processes: a line each in a journal, which becomes Parquet later.

A command that answers one question has no time to load a Parquet writer. It appends one line of
JSON, a matter of microseconds that no kill can lose; whoever reads traces first turns the lines
into a file like those that servers write.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from codeintel_rev.observability.trace_files import folder_of, write_flush
from codeintel_rev.observability.trace_schema import Trace

_NAME = "journal.jsonl"
_TAKEN = "journal-*.taken"

log = logging.getLogger(__name__)


class TraceJournal:
    """A sink of traces (``TraceSink``) that appends to the journals below ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.dropped = 0
        """Traces that could not be written."""

    def emit(self, trace: Trace) -> None:
        """Append one trace; a disk that takes no more costs the trace, not the answer."""
        folder = folder_of(self._root, type(trace))
        try:
            self._root.mkdir(exist_ok=True)  # not its parents: an index that is gone stays gone
            folder.mkdir(exist_ok=True)
            line = msgspec.json.encode(trace) + b"\n"
            with _locked(folder):
                _append(folder / _NAME, line)
        except (OSError, UnicodeEncodeError) as error:
            self.dropped += 1
            log.info("a trace could not be written: %s", error)


def drain(root: Path, record: type[Trace]) -> int:
    """Turn the lines of a kind of record into a Parquet file; returns how many they were.

    Safe beside processes that append, and beside others that drain: lines go only when their file
    is durable, and what two write at once is the same file.
    """
    folder = folder_of(root, record)
    if not folder.is_dir():
        return 0
    taken = folder / f"journal-{os.getpid()}-{secrets.token_hex(4)}.taken"
    with _locked(folder):
        if (folder / _NAME).exists():
            (folder / _NAME).rename(taken)
    # also what a process took that was killed before it had written it
    return sum(_settled(root, path, record) for path in sorted(folder.glob(_TAKEN)))


def _settled(root: Path, path: Path, record: type[Trace]) -> int:
    try:
        traces = list(_traces_in(path, record))
    except FileNotFoundError:  # another process was faster
        return 0
    if traces:
        write_flush(root, path.stem.removeprefix("journal-"), 0, traces)
    path.unlink(missing_ok=True)
    return len(traces)


def _append(path: Path, line: bytes) -> None:
    """Append a whole line or, with an error, nothing of it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, line) < len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _traces_in(path: Path, record: type[Trace]) -> Iterator[Trace]:
    decoder = msgspec.json.Decoder(record)
    for line in path.read_bytes().splitlines():
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            log.warning("a damaged line of %s is passed over: %s", path.name, error)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep appending and taking apart; the lock goes with the process."""
    descriptor = os.open(folder / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
