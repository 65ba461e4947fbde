"""How many connections each worker of a server holds, in memory that the workers share."""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path
from typing import Final

from codeintel_rev.errors import Busy

_PLACES: Final = 512
"""Twice the workers that a server may have: while they are replaced, the old and the new ones live."""

_NOBODY: Final = 0xFFFFFFFF

_TOLERATED: Final = 8
"""An eighth more than the idlest worker has is not too much: the pool of a client is spread evenly, and
thousands of connections come and go without waiting."""


def create_counts(folder: Path) -> Path:
    """Make the file in ``folder`` over which the workers of one server share their counts."""
    file = folder / "connections"
    file.write_bytes(_NOBODY.to_bytes(4, "little") * _PLACES)
    return file


class ConnectionCounts:
    """The number of one worker beside those of the others.

    Each worker writes its own, so that nothing is locked, until it leaves. That of a killed worker
    stays until another one takes its place.
    """

    def __init__(self, file: Path) -> None:
        """Take a free place in a file of ``create_counts``, until this process ends."""
        with file.open("r+b") as opened:
            self._numbers = memoryview(mmap.mmap(opened.fileno(), 0)).cast("I")
        self._place = _taken_place(file)
        self._numbers[self._place] = 0
        self._left = False

    @property
    def is_ahead(self) -> bool:
        """Whether another worker has clearly fewer connections."""
        least = min(self._numbers)
        return self._numbers[self._place] > least + least // _TOLERATED

    def add(self, connections: int) -> None:
        """Count so many more, or fewer."""
        if not self._left:
            self._numbers[self._place] += connections

    def leave(self) -> None:
        """Count no more: who takes no connections keeps nobody from taking them."""
        self._left = True
        self._numbers[self._place] = _NOBODY


def _taken_place(file: Path) -> int:
    """Return a place whose lock is had, and stays so: the kernel lets go of it with the process."""
    for place in range(_PLACES):
        lock = os.open(f"{file}-{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return place
    raise Busy("there are too many workers", hint="wait until the old ones have ended")
