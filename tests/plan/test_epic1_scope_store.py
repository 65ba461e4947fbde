"""The plan's tests of the scope store."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import redis.asyncio as aioredis

from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.app.scope_store import AsyncSingleFlight, LRUCache, ScopeStore
from codeintel_rev.types import Scope as ScopeIn


@pytest.fixture
async def redis(redis_server: PrivateRedis) -> AsyncIterator[aioredis.Redis]:
    async with aioredis.from_url(redis_server.url) as client:
        yield client


def test_lru_cache_eviction():
    cache = LRUCache[str](maxsize=2, ttl_seconds=60)
    cache.set("a", "1")
    cache.set("b", "2")
    cache.set("c", "3")  # Evicts "a" (LRU)
    assert cache.get("a") is None
    assert cache.get("c") == "3"


def test_lru_cache_ttl():
    cache = LRUCache[str](maxsize=10, ttl_seconds=1)
    cache.set("k", "v")
    assert cache.get("k") == "v"
    time.sleep(1.1)
    assert cache.get("k") is None  # Expired


@pytest.mark.asyncio
async def test_single_flight_coalescing():
    flight = AsyncSingleFlight()
    call_count = 0

    async def expensive_fn():
        nonlocal call_count
        call_count += 1
        await asyncio.sleep(0.1)
        return "result"

    # 100 concurrent calls
    results = await asyncio.gather(*[flight.do("key", expensive_fn) for _ in range(100)])

    assert all(r == "result" for r in results)
    assert call_count == 1  # Only one execution


@pytest.mark.asyncio
async def test_scope_store_l1_hit(redis_server):
    redis = await aioredis.from_url(redis_server.url)
    store = ScopeStore(redis, l1_maxsize=256, l1_ttl_seconds=300)

    scope = ScopeIn(repos=["kgfoundry"], languages=["py"])
    await store.set("session-123", scope)

    # L1 hit (no Redis call)
    retrieved = await store.get("session-123")
    assert retrieved == scope
    assert store.metrics["l1_hits"] == 1
    await redis.aclose()


@pytest.mark.asyncio
async def test_scope_store_l2_hit(redis):
    store = ScopeStore(redis)
    scope = ScopeIn(repos=["repo"])

    # Set and flush L1
    await store.set("sess", scope)
    store._l1.clear()

    # L2 hit (Redis fetch, populates L1)
    retrieved = await store.get("sess")
    assert retrieved == scope
    assert store.metrics["l2_hits"] == 1

    # Next call is L1 hit
    retrieved2 = await store.get("sess")
    assert retrieved2 == scope
    assert store.metrics["l1_hits"] == 1
