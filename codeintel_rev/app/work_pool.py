"""Threads for blocking work, behind an event loop that must not block."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from codeintel_rev.cancellation import Cancellation
from codeintel_rev.errors import Busy, DeadlineExceeded

T = TypeVar("T")


class WorkPool:
    """A fixed number of threads and a bounded queue; one hop a request."""

    def __init__(self, threads: int, queue: int, timeout_s: float) -> None:
        """Run ``threads`` pieces of work at a time (0 = one a core) and let ``queue`` more wait."""
        threads = threads or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self.room = threads + queue
        """Pieces of work that are taken at most, run and waiting together."""
        self._timeout_s = timeout_s
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

    async def run(self, work: Callable[[], T], timeout_s: float | None = None) -> T:
        """Return ``work()``, made on one of the threads, within ``timeout_s`` if that is less.

        Work that is late or not wanted any more is cancelled. A thread cannot be stopped: it keeps
        its place until it ends.

        Raises ``Busy`` when the queue is full and ``DeadlineExceeded`` when the work is late.
        """
        with self._lock:
            if self.saturated:
                raise Busy(
                    "the server has more to do than it can",
                    hint="try again in a moment",
                    value=str(self.room),
                )
            self._taken += 1
        within_s = min(self._timeout_s, timeout_s or self._timeout_s)
        cancellation = Cancellation()
        future = self._threads.submit(cancellation.run, work)
        future.add_done_callback(self._leave)
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

    def close(self) -> None:
        """Let the threads end; work that is under way is not awaited."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _: Future[T]) -> None:
        with self._lock:
            self._taken -= 1
