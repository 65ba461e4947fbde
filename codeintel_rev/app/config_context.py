"""What a running server is made of; concrete classes meet ports here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from codeintel_rev.app.data_dir import data_dir_for_search
from codeintel_rev.app.embedding_contract import require_contract
from codeintel_rev.app.limits import RateLimiter
from codeintel_rev.app.models import AnswerModels
from codeintel_rev.app.running_calls import CHANNEL, RunningCalls
from codeintel_rev.app.scope_store import ScopeStore
from codeintel_rev.app.served.code import ServedCode
from codeintel_rev.app.served.index import ServedIndex
from codeintel_rev.app.work_pool import WorkPool
from codeintel_rev.config.settings import RedisConfig, ServerConfig, Settings
from codeintel_rev.errors import IndexUnusable
from codeintel_rev.io.redis_notices import RedisNotices
from codeintel_rev.io.redis_rates import RedisRates
from codeintel_rev.io.redis_scopes import connect
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.observability.metrics import Metrics

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")


_QUESTIONS: Final = 16
"""Answers that a worker looks for at a time: with more, stages run out of time as they wait for each other."""


@dataclass(frozen=True, slots=True)
class ApplicationContext:
    """Everything that requests share; belongs to one event loop (``ServerContext``)."""

    settings: Settings
    served: ServedIndex
    models: AnswerModels
    scope_store: ScopeStore
    calls: RunningCalls
    limiter: RateLimiter | None
    pool: WorkPool
    _resources: AsyncExitStack

    @classmethod
    async def create(cls, settings: Settings, metrics: Metrics | None = None) -> ApplicationContext:
        """Open the index and connect to what is configured; ``close`` lets go of it all.

        The index may still be missing, and Redis away: requests tell, and readiness does.

        Raises ``SettingsError`` when the embedding model is not the one that is configured, or the
        index holds vectors that it cannot have made, and ``Unavailable`` when the Redis driver is not installed.
        """
        async with AsyncExitStack() as resources:
            data_dir = settings.data_dir or _usual_data_dir(settings)
            models = AnswerModels.of(settings)
            resources.push_async_callback(models.close)
            served = await asyncio.to_thread(
                ServedIndex, data_dir, settings, models=models, metrics=metrics
            )
            resources.callback(served.close)
            await asyncio.to_thread(_require_contract, served)
            pool = _pool(settings.server)
            resources.callback(pool.close)
            redis = _connected(settings.redis, resources)
            scope_store = _scope_store(settings.redis, redis, resources)
            calls = RunningCalls(None if redis is None else RedisNotices(redis, CHANNEL))
            _listening(calls.listen(), resources)
            limiter = _limiter(settings.server, redis)
            kept = resources.pop_all()
            return cls(settings, served, models, scope_store, calls, limiter, pool, kept)

    async def close(self) -> None:
        """Let go of everything, last opened first."""
        await self._resources.aclose()

    def code(self, caller: Caller) -> ServedCode:
        """Return the code that a caller may see."""
        if caller.session is not None:
            caller.notes["session_id"] = caller.session
        return ServedCode(self.served, caller.repos, caller.session, caller.notes, self.pool.place)

    async def run(
        self, work: Callable[[], T], timeout_ms: float | None = None, *, quick: bool = False
    ) -> T:
        """Return ``work()``, made on a thread; raises ``Busy`` or ``DeadlineExceeded``."""
        timeout_s = None if timeout_ms is None else timeout_ms / 1000
        return await self.pool.run(work, timeout_s, quick=quick)


def _require_contract(served: ServedIndex) -> None:
    with suppress(IndexUnusable), served.use() as index:
        require_contract(index)


def _usual_data_dir(settings: Settings) -> Path:
    return data_dir_for_search(None, None, settings.data_home)[0]


def _connected(config: RedisConfig, resources: AsyncExitStack) -> Redis | None:
    if not config.url:
        return None
    client = connect(config.url)
    resources.push_async_callback(client.aclose)
    return client


def _scope_store(config: RedisConfig, redis: Redis | None, resources: AsyncExitStack) -> ScopeStore:
    if redis is None:
        return ScopeStore(None, l2_ttl_seconds=config.scope_l2_ttl_seconds)
    store = ScopeStore(
        redis,
        l1_maxsize=config.scope_l1_size,
        l1_ttl_seconds=config.scope_l1_ttl_seconds,
        l2_ttl_seconds=config.scope_l2_ttl_seconds,
    )
    _listening(store.listen(), resources)
    return store


def _pool(config: ServerConfig) -> WorkPool:
    cores = os.cpu_count() or 1
    quick, others = config.threads or cores, max(2, cores)
    return WorkPool(quick, others, config.queue, config.request_timeout_s, _QUESTIONS)


def _limiter(server: ServerConfig, redis: Redis | None) -> RateLimiter | None:
    if not server.rate_per_minute:
        return None
    rate, burst = server.rate_per_minute / 60, server.rate_per_minute / 6
    return RateLimiter(
        rate, burst, shared=None if redis is None else RedisRates(redis, rate, burst)
    )


def _listening(listen: Coroutine[None, None, None], resources: AsyncExitStack) -> None:
    """Run ``listen`` until the resources are let go."""
    resources.push_async_callback(_cancelled, asyncio.create_task(listen))


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
