"""What a running server is made of; concrete classes meet ports here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from codeintel_rev.app.data_dir import data_dir_for_search
from codeintel_rev.app.scope_store import ScopeStore
from codeintel_rev.app.served.code import ServedCode
from codeintel_rev.app.served.index import ServedIndex
from codeintel_rev.app.work_pool import WorkPool
from codeintel_rev.config.settings import RedisConfig, Settings
from codeintel_rev.io.redis_scopes import connect
from codeintel_rev.mcp_server.callers import Caller

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApplicationContext:
    """Everything that requests share; belongs to one event loop (``ServerContext``)."""

    settings: Settings
    served: ServedIndex
    scope_store: ScopeStore
    pool: WorkPool
    _resources: AsyncExitStack

    @classmethod
    async def create(cls, settings: Settings) -> ApplicationContext:
        """Open the index and connect to what is configured; ``close`` lets go of it all.

        The index may still be missing, and Redis away: requests tell, and readiness does.

        Raises ``SettingsError`` when the embedding model is not the one that is configured, and
        ``Unavailable`` when the Redis driver is not installed.
        """
        async with AsyncExitStack() as resources:
            data_dir = settings.data_dir or _usual_data_dir(settings)
            served = await asyncio.to_thread(ServedIndex, data_dir, settings)
            resources.callback(served.close)
            server = settings.server
            pool = WorkPool(server.threads, server.queue, server.request_timeout_s)
            resources.callback(pool.close)
            scope_store = await _open_scope_store(settings.redis, resources)
            return cls(settings, served, scope_store, pool, resources.pop_all())

    async def close(self) -> None:
        """Let go of everything, last opened first."""
        await self._resources.aclose()

    def code(self, caller: Caller) -> ServedCode:
        """Return the code that a caller may see."""
        return ServedCode(self.served, caller.repos, caller.session)

    async def run(self, work: Callable[[], T]) -> T:
        """Return ``work()``, made on a thread; raises ``Busy`` or ``DeadlineExceeded``."""
        return await self.pool.run(work)


def _usual_data_dir(settings: Settings) -> Path:
    return data_dir_for_search(None, None, settings.data_home)[0]


async def _open_scope_store(redis: RedisConfig, resources: AsyncExitStack) -> ScopeStore:
    if not redis.url:
        return ScopeStore(None, l2_ttl_seconds=redis.scope_l2_ttl_seconds)
    client = connect(redis.url)
    resources.push_async_callback(client.aclose)
    store = ScopeStore(
        client,
        l1_maxsize=redis.scope_l1_size,
        l1_ttl_seconds=redis.scope_l1_ttl_seconds,
        l2_ttl_seconds=redis.scope_l2_ttl_seconds,
    )
    listener = asyncio.create_task(store.listen(), name="scope changes")
    resources.push_async_callback(_cancelled, listener)
    return store


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
