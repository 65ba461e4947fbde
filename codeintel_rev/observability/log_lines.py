"""Lines of a log that nobody waits for: a thread writes them, and what nobody reads is left out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Final

CAPACITY: Final = 10_000
"""Lines that may wait: some seconds of a busy server, in a few MiB."""

_GATHER_S: Final = 0.05
"""Lines of so long are written together, so that a line costs its caller microseconds."""

_END_S: Final = 1.0
"""How long an ending process waits for whoever reads the last lines."""

STDERR: Final = 2


class LogLines:
    """Writes lines to a file descriptor; safe to share between threads.

    A full pipe stops the thread that writes, and nobody else: lines wait, then are left out and
    counted, and the first line that gets through again says how many were.
    """

    def __init__(
        self, told_lost: Callable[[int], str], descriptor: int = STDERR, capacity: int = CAPACITY
    ) -> None:
        """Begin; ``told_lost`` makes the line that tells how many were left out."""
        self._told_lost = told_lost
        self._descriptor = descriptor
        self._capacity = capacity
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._some = Event()
        self._over = Event()
        self._thread = Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> bool:
        """Let a line be written when its turn comes; returns whether there was room for it."""
        if len(self._waiting) >= self._capacity:
            self._lost += 1
            return False
        self._waiting.append(line)
        if not self._some.is_set():
            self._some.set()
        return True

    def close(self) -> None:
        """Write what waits, if somebody reads it at once."""
        self._over.set()
        self._some.set()
        self._thread.join(_END_S)

    def _write(self) -> None:
        while not self._over.is_set():
            self._some.wait()
            self._over.wait(_GATHER_S)
            self._some.clear()
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        lines = []
        lost, self._lost = self._lost, 0
        if lost:
            lines.append(self._told_lost(lost))
        with suppress(IndexError):
            while True:
                lines.append(self._waiting.popleft())
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        with suppress(OSError):  # nobody is left to be told
            while data:
                data = data[os.write(self._descriptor, data) :]
