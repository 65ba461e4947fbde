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

from codeintel_rev.observability.answer_trace import AnswerTrace

_NAME = "journal.jsonl"
_TAKEN = "journal-*.taken"

log = logging.getLogger(__name__)


class TraceJournal:
    """A sink of traces (``TraceSink``) that appends to the journal below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.dropped = 0
        """Traces that could not be written."""

    def emit(self, trace: AnswerTrace) -> None:
        """Append one trace; a disk that takes no more costs the trace, not the answer."""
        try:
            self._folder.mkdir(exist_ok=True)  # not its parents: an index that is gone stays gone
            line = msgspec.json.encode(trace) + b"\n"
            with _locked(self._folder):
                _append(self._folder / _NAME, line)
        except (OSError, UnicodeEncodeError) as error:
            self.dropped += 1
            log.info("a trace could not be written: %s", error)


def drain(folder: Path) -> int:
    """Turn the journal's lines into a Parquet file; returns how many traces that were.

    Safe beside processes that append, and beside others that drain: lines go only when their file
    is durable, and what two write at once is the same file.
    """
    if not folder.is_dir():
        return 0
    taken = folder / f"journal-{os.getpid()}-{secrets.token_hex(4)}.taken"
    with _locked(folder):
        if (folder / _NAME).exists():
            (folder / _NAME).rename(taken)
    # also what a process took that was killed before it had written it
    return sum(_settled(folder, path) for path in sorted(folder.glob(_TAKEN)))


def _settled(folder: Path, path: Path) -> int:
    from codeintel_rev.observability.trace_files import write_flush

    try:
        traces = list(_traces_in(path))
    except FileNotFoundError:  # another process was faster
        return 0
    if traces:
        write_flush(folder, path.stem.removeprefix("journal-"), 0, traces)
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


def _traces_in(path: Path) -> Iterator[AnswerTrace]:
    decoder = msgspec.json.Decoder(AnswerTrace)
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
