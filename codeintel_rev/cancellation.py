"""Word to work on another thread that nobody waits for it any more.

A thread cannot be stopped. Whoever waits for one hands it a ``Cancellation``; what takes long there
(a query of a database, a loop over texts) lets itself be interrupted by it, or asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

T = TypeVar("T")

_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


class Cancellation:
    """Belongs to one piece of work; safe to use from any thread."""

    def __init__(self) -> None:
        self._cancelled = False
        self._interrupts: list[Callable[[], None]] = []
        self._lock = Lock()

    def run(self, work: Callable[[], T]) -> T:
        """Return ``work()``, which finds this cancellation wherever it asks for one."""
        token = _current.set(self)
        try:
            return work()
        finally:
            _current.reset(token)

    def cancel(self) -> None:
        """Interrupt the work; of no effect when it is over."""
        with self._lock:
            self._cancelled = True
            interrupts = list(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Have ``interrupt`` called as ``interruptible`` says."""
        with self._lock:
            self._interrupts.append(interrupt)
            late = self._cancelled
        if late:
            interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the work any more."""
        return self._cancelled


def is_cancelled() -> bool:
    """Return whether nobody waits for what runs here."""
    current = _current.get()
    return current is not None and current.cancelled


@contextmanager
def interruptible(interrupt: Callable[[], None]) -> Iterator[None]:
    """Have ``interrupt`` called when what runs here is cancelled before the block ends.

    It is called from another thread, at once when it is too late already, and possibly just after
    the block.
    """
    current = _current.get()
    if current is None:
        yield
        return
    with current.interrupting(interrupt):
        yield
