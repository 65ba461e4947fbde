"""Stages of an answer: each runs under a limit and ends in one of five ways."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, Literal, TypeVar

from codeintel_rev.answer.failures import tell_failure
from codeintel_rev.cancellation import Cancellation
from codeintel_rev.errors import InvalidArgument, NotFound, ScopeEmpty
from codeintel_rev.ports import Clock

T = TypeVar("T")
Status = Literal["ok", "empty", "timed_out", "failed", "skipped"]

LIMIT_SUFFIX: dict[Status, str] = {"timed_out": "timeout", "failed": "error", "skipped": "skipped"}
"""How an outcome ends the limit word of its stage (``faiss_timeout``); the others leave none."""

CHANNELS = frozenset({"faiss", "bm25", "splade"})
"""Stages that an answer can do without; any other stage that was skipped counts as failed."""

CALLERS_ERRORS = (InvalidArgument, NotFound, ScopeEmpty)
"""Errors in what was asked: every stage would meet them, and none of them is at fault."""

log = logging.getLogger(__name__)


class Saturated(Exception):
    """Raised when a lane already runs as many calls as it may."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """How a stage ended, what it returned, and how long it took (``None`` = never finished)."""

    status: Status
    value: T | None = None
    latency_ms: float | None = None
    error: Exception | None = None

    def limit_word(self, stage: str) -> str | None:
        """Return the word that a bad end leaves in an answer's limits, or ``None``."""
        suffix = LIMIT_SUFFIX.get(self.status)
        if self.status == "skipped" and stage not in CHANNELS:
            suffix = LIMIT_SUFFIX["failed"]
        return f"{stage}_{suffix}" if suffix else None


async def run_stage(
    stage: str, work: Callable[[], Awaitable[T]], limit_ms: float, clock: Clock
) -> Outcome[T]:
    """Await ``work()`` for at most ``limit_ms`` and say how it ended; only cancellation escapes."""
    if limit_ms <= 0:
        return Outcome("timed_out")
    started = clock()
    try:
        async with asyncio.timeout(limit_ms / 1000) as guard:
            value = await work()
    except Saturated:
        return Outcome("skipped")
    except Exception as error:
        if isinstance(error, TimeoutError) and guard.expired():
            return Outcome("timed_out")
        if not isinstance(error, CALLERS_ERRORS):
            tell_failure(log, stage, error)
        return Outcome("failed", error=error)
    return Outcome("ok" if value else "empty", value, (clock() - started) * 1000)


@dataclass(slots=True)
class Lane:
    """A few threads of one backend, which refuses work that it could not get to.

    A call that is late or not wanted any more is cancelled, but a thread cannot be stopped. A lane
    whose threads are all taken by such calls is stalled, and skipped until one of them comes back.
    """

    name: str
    width: int
    backlog: int = 256
    """Calls that may wait for a thread."""
    _live: int = 0
    _abandoned: int = 0
    _lock: Lock = field(default_factory=Lock)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.width, thread_name_prefix=self.name)

    async def run(self, call: Callable[[], T]) -> T:
        """Return ``call()``, made on one of the lane's threads.

        Raises:
            Saturated: the lane is stalled or its backlog is full.

        """
        with self._lock:
            if self._abandoned >= self.width or self._live >= self.width + self.backlog:
                raise Saturated(self.name)
            self._live += 1
        cancellation = Cancellation()
        future = self._threads.submit(cancellation.run, call)
        future.add_done_callback(self._leave)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            cancellation.cancel()
            if future.running():
                with self._lock:
                    self._abandoned += 1
                future.add_done_callback(self._come_back)
            raise

    def _leave(self, _: Future[T]) -> None:
        with self._lock:
            self._live -= 1

    def _come_back(self, _: Future[T]) -> None:
        with self._lock:
            self._abandoned -= 1

    def close(self) -> None:
        """Let the threads end; calls still running are not awaited."""
        self._threads.shutdown(wait=False, cancel_futures=True)
