"""Advisory locks between processes; the kernel drops them when a holder dies."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from codeintel_rev.errors import Busy, IndexMissing

_POLL_S = 0.02
"""Pause between two tries; a commit of one edited file takes about as long."""


@contextmanager
def hold(
    path: Path,
    *,
    timeout_s: float | None = None,
    on_wait: Callable[[str], None] | None = None,
    doing: str = "written",
    hint: str = "wait for it to finish, or leave out --no-wait",
) -> Iterator[None]:
    """Hold the exclusive lock file ``path`` for a block.

    Waits up to ``timeout_s`` seconds, for ever when it is ``None``; ``on_wait`` is told once who
    holds the lock. Raises ``Busy`` with ``hint`` when the time is over; it says that the index is
    being ``doing`` by the holder. Raises ``IndexMissing`` when the folder of the locks' folder is
    gone.
    """
    try:
        path.parent.mkdir(exist_ok=True)  # its parent is not made: a folder that went stays gone
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError as error:
        raise IndexMissing(
            f"the index at {path.parent.parent} is gone",
            hint="run `codeintel index` first",
            value=str(path.parent.parent),
        ) from error
    try:
        if not _acquire(descriptor, timeout_s, on_wait):
            who = _read_holder(descriptor)
            raise Busy(f"the index is being {doing} by {who}", hint=hint, value=path.name)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, _self_description().encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """Return who holds the lock file ``path``, or ``None`` when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_holder(descriptor)
        return None
    finally:
        os.close(descriptor)


def _acquire(
    descriptor: int, timeout_s: float | None, on_wait: Callable[[str], None] | None
) -> bool:
    """Return whether the lock was taken in time."""
    # even who cannot wait tries twice: somebody may only be looking who the holder is
    deadline = None if timeout_s is None else time.monotonic() + max(timeout_s, _POLL_S)
    told = False
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if deadline is not None and time.monotonic() >= deadline:
            return False
        if on_wait is not None and not told:
            on_wait(_read_holder(descriptor))
            told = True
        time.sleep(_POLL_S)


def _self_description() -> str:
    command = Path(sys.argv[0]).name or "python"
    return f"process {os.getpid()} ({command}) since {time.strftime('%H:%M:%S')}"


def _read_holder(descriptor: int) -> str:
    text = os.pread(descriptor, 200, 0).decode("utf-8", "replace")
    return text or "another process"
