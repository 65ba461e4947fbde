"""Threads for blocking work, behind an event loop that must not block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Lock
from typing import TypeVar

from codeintel_rev.cancellation import Cancellation
from codeintel_rev.errors import Busy, DeadlineExceeded

T = TypeVar("T")


class WorkPool:
    """Threads of two lanes and a bounded queue; one hop a request.

    Quick work waits for quick work alone: with more threads than cores it would take its turns with
    work of seconds, and each would take longer. What works on threads of its own takes a ``place``.
    """

    def __init__(
        self, quick: int, others: int, queue: int, timeout_s: float, places: int = 1
    ) -> None:
        """Do ``quick`` pieces of quick work at a time and ``others`` of other, and let ``queue`` wait.

        ``places`` are taken at a time of those that work elsewhere.
        """
        self._quick = ThreadPoolExecutor(quick, thread_name_prefix="quick")
        self._others = ThreadPoolExecutor(others, thread_name_prefix="work")
        self.room = quick + others + queue
        """Pieces of work that are taken at most, run and waiting together."""
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(places)
        self._taken = 0
        self._lock = Lock()

    @property
    def saturated(self) -> bool:
        """Whether the next piece of work would be refused."""
        return self._taken >= self.room

    @property
    def taken(self) -> int:
        """How many pieces of work run or wait."""
        return self._taken

    async def run(
        self, work: Callable[[], T], timeout_s: float | None = None, *, quick: bool = False
    ) -> T:
        """Return ``work()``, made on one of the threads, within ``timeout_s`` if that is less.

        Work that is late or not wanted any more is cancelled. A thread cannot be stopped: it keeps
        its place until it ends.

        Raises ``Busy`` when the queue is full and ``DeadlineExceeded`` when the work is late.
        """
        self._enter()
        within_s = min(self._timeout_s, timeout_s or self._timeout_s)
        cancellation = Cancellation()
        lane = self._quick if quick else self._others
        future = lane.submit(cancellation.run, work)
        future.add_done_callback(lambda _: self._leave())
        try:
            async with asyncio.timeout(within_s) as limit:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceeded(
                f"the request was not done within {within_s:g} s",
                hint="ask for less: a narrower scope, a smaller limit",
                value=f"{within_s:g}",
            ) from None
        finally:
            cancellation.cancel()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for work that is done elsewhere, once it is its turn.

        Raises ``Busy`` when the queue is full.
        """
        self._enter()
        try:
            async with self._places:
                yield
        finally:
            self._leave()

    def close(self) -> None:
        """Let the threads end; work that is under way is not awaited."""
        for lane in (self._quick, self._others):
            lane.shutdown(wait=False, cancel_futures=True)

    def _enter(self) -> None:
        with self._lock:
            if self.saturated:
                raise Busy(
                    "the server has more to do than it can",
                    hint="try again in a moment",
                    value=str(self.room),
                )
            self._taken += 1

    def _leave(self) -> None:
        with self._lock:
            self._taken -= 1
