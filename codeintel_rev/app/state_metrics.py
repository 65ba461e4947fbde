"""Tells the metrics what the parts of a server hold and count."""

from __future__ import annotations

import asyncio
import shutil
from typing import Final, NamedTuple

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.served.index import ServedIndex
from codeintel_rev.errors import CodeIntelError

PAUSE_S: Final = 5.0
"""How old the state of another worker is at most."""

SETTLE_S: Final = 0.25
"""How old the counts of another worker are at most, and how long a line waits for the log."""

_REDIS_TIMEOUT_S: Final = 2.0


class _IndexFacts(NamedTuple):
    """Sums over all repositories."""

    repositories: int = 0
    chunks: int = 0
    sequence: int = 0
    generation: int = 0


class StateMetrics:
    """Looks at the parts of a server now and then; belongs to one event loop.

    The parts count for themselves and know nothing of metrics. Nobody can be asked for the numbers
    of another worker, so that each writes its own down.
    """

    def __init__(self, context: ApplicationContext) -> None:
        self._context = context
        self._metrics = context.served.metrics
        self._told: dict[str, float] = {}

    async def settle(self) -> None:
        """Count, and log, what happened since the last time."""
        self._metrics.settle()

    async def look(self) -> None:
        """Bring the metrics up to date."""
        self._metrics.settle()
        self._metrics.redis_up.set(await self._redis_answers())
        facts, free = await asyncio.to_thread(_look_at, self._context.served)
        self._metrics.index_usable.set(facts is not None)
        self._tell_index(facts or _IndexFacts())
        self._metrics.disk_free.set(free)
        pool = self._context.pool
        self._metrics.work_in_progress.set(pool.taken)
        self._metrics.work_room.set(pool.room)
        self._metrics.scopes_known.set(len(self._context.scope_store))
        self._count_lookups()
        self._count_traces()

    async def _redis_answers(self) -> bool:
        try:
            async with asyncio.timeout(_REDIS_TIMEOUT_S):
                await self._context.scope_store.ping()
        except (TimeoutError, CodeIntelError):
            return False
        return True

    def _tell_index(self, facts: _IndexFacts) -> None:
        self._metrics.index_size.set(facts.chunks)
        self._metrics.index_repositories.set(facts.repositories)
        self._metrics.index_writes.set(facts.sequence)
        self._metrics.index_compactions.set(facts.generation)

    def _count_lookups(self) -> None:
        scopes, results = self._context.scope_store.metrics, self._context.served.results.metrics
        for outcome, plural in (("hit", "hits"), ("miss", "misses")):
            for level in ("l1", "l2"):
                child = self._metrics.scope_lookups.of(level, outcome)
                child.inc(self._since(f"{level}_{plural}", scopes[f"{level}_{plural}"]))
            self._metrics.result_lookups.of(outcome).inc(self._since(plural, results[plural]))

    def _count_traces(self) -> None:
        tracer = self._context.served.tracer
        if tracer is None:
            return
        for outcome, count in (
            ("emitted", tracer.emitted),
            ("written", tracer.written),
            ("dropped", tracer.dropped),
        ):
            self._metrics.traces.of(outcome).inc(self._since(outcome, count))
        failed = self._since("failed_writes", tracer.failed_writes)
        self._metrics.failed_trace_writes.inc(failed)

    def _since(self, name: str, count: float) -> float:
        """Return by how much a count grew since it was told last."""
        grown = count - self._told.get(name, 0)
        self._told[name] = count
        return grown


def _look_at(served: ServedIndex) -> tuple[_IndexFacts | None, int]:
    """Return what the index holds, ``None`` when it cannot be read, and the bytes that are free."""
    free = 0
    try:
        free = shutil.disk_usage(served.data_dir).free
        return _facts(served), free
    except (CodeIntelError, OSError):
        return None, free


def _facts(served: ServedIndex) -> _IndexFacts:
    facts = _IndexFacts()
    with served.use() as index:
        for opened in index.opened:
            with opened.view() as view:
                if view is not None:
                    facts = _IndexFacts(
                        facts.repositories + 1,
                        facts.chunks + int(view.live.sum()),
                        facts.sequence + view.sequence,
                        facts.generation + view.generation,
                    )
    return facts
