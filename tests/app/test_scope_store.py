"""Scopes of sessions: one lookup for many, the same on every worker, and through a Redis outage."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.app.scope_store import AsyncSingleFlight, LRUCache, ScopeStore
from codeintel_rev.io.redis_scopes import CHANNEL, PREFIX, connect
from codeintel_rev.types import Scope
from tests.fakes.clock import FakeClock

PYTHON = Scope(languages=["python"])
GO = Scope(languages=["go"])


@asynccontextmanager
async def worker(url: str, *, listening: bool = True) -> AsyncIterator[ScopeStore]:
    redis = connect(url)
    store = ScopeStore(redis)
    before = await subscribers(redis)
    listener = asyncio.create_task(store.listen()) if listening else None

    async def heard() -> bool:
        return await subscribers(redis) > before

    if listening:
        await until(heard)
    try:
        yield store
    finally:
        if listener is not None:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener
        await redis.aclose()


async def subscribers(redis: Redis) -> int:
    ((_, count),) = await redis.pubsub_numsub(CHANNEL)
    return int(count)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  another process decides
            await asyncio.sleep(0.01)


@pytest.fixture
async def store(redis_server: PrivateRedis) -> AsyncIterator[ScopeStore]:
    async with worker(redis_server.url, listening=False) as store:
        yield store


def test_the_entry_used_last_stays_and_an_aged_one_is_given_only_to_who_takes_it() -> None:
    clock = FakeClock()
    cache = LRUCache[str](maxsize=2, ttl_seconds=10, clock=clock)
    cache.set("a", "1")
    cache.set("b", "2")
    assert cache.get("a") == "1"
    cache.set("c", "3")
    assert (cache.get("a"), cache.get("b"), len(cache)) == ("1", None, 2)
    clock.now += 10
    assert cache.get("a") is None
    assert cache.get("a", expired=True) == "1"


async def test_callers_wait_for_their_own_key_only() -> None:
    flight = AsyncSingleFlight()
    forever = asyncio.ensure_future(flight.do("slow", asyncio.Event().wait))

    async def quick() -> int:
        return 1

    async with asyncio.timeout(60):
        assert await flight.do("quick", quick) == 1
    forever.cancel()


async def test_who_waits_gets_the_result_when_who_asked_first_goes_away() -> None:
    flight = AsyncSingleFlight()
    gate = asyncio.Event()

    async def call() -> str:
        await gate.wait()
        return "result"

    first = asyncio.create_task(flight.do("key", call))
    second = asyncio.create_task(flight.do("key", call))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    gate.set()
    assert await second == "result"
    assert "key" not in flight


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered() -> None:
    flight = AsyncSingleFlight()

    async def fail() -> None:
        raise ValueError("broken")

    results = await asyncio.gather(
        *(flight.do("key", fail) for _ in range(3)), return_exceptions=True
    )
    assert [str(result) for result in results] == ["broken"] * 3
    assert "key" not in flight


async def test_a_thousand_lookups_at_once_ask_redis_once(
    store: ScopeStore, redis_server: PrivateRedis
) -> None:
    async with worker(redis_server.url, listening=False) as other:
        await other.set("thousand", PYTHON)
    found = await asyncio.gather(*(store.get("thousand") for _ in range(1000)))
    assert found == [PYTHON] * 1000
    assert (store.metrics["l2_hits"], store.metrics["l2_misses"]) == (1, 0)
    await asyncio.gather(*(store.get("thousand") for _ in range(9000)))
    assert store.metrics["hit_rate"] == 0.9


async def test_a_caller_cannot_change_what_the_next_one_gets(store: ScopeStore) -> None:
    await store.set("copies", Scope(languages=["python"]))
    first = await store.get("copies")
    assert first is not None
    assert first.languages is not None
    first.languages.append("go")
    assert await store.get("copies") == PYTHON


async def test_absence_is_remembered(store: ScopeStore) -> None:
    assert [await store.get("nobody") for _ in range(3)] == [None] * 3
    assert store.metrics["l2_misses"] == 1


async def test_what_one_worker_sets_the_other_sees(redis_server: PrivateRedis) -> None:
    async with worker(redis_server.url) as one, worker(redis_server.url) as two:
        await one.set("shared", PYTHON)
        assert await two.get("shared") == PYTHON
        for scope in (GO, PYTHON, GO):
            await one.set("shared", scope)

            async def seen(wanted: Scope = scope) -> bool:
                return await two.get("shared") == wanted

            await until(seen)
        await two.delete("shared")

        async def gone() -> bool:
            return await one.get("shared") is None

        await until(gone)


async def test_a_worker_keeps_what_it_wrote_itself_in_memory(redis_server: PrivateRedis) -> None:
    async with worker(redis_server.url) as one, worker(redis_server.url) as two:
        await one.set("own", PYTHON)
        await two.set("marker", GO)

        async def heard() -> bool:
            return await one.get("marker") == GO

        await until(heard)
        before = one.metrics["l2_hits"]
        assert await one.get("own") == PYTHON
        assert one.metrics["l2_hits"] == before


async def test_a_slow_read_does_not_bring_back_what_was_overwritten(store: ScopeStore) -> None:
    await store.set("race", PYTHON)
    old = store._l1.get("race")
    assert old is not None
    await store.set("race", GO)
    assert store._keep("race", old).scope == GO
    assert await store.get("race") == GO


async def test_a_session_in_use_does_not_expire(redis_server: PrivateRedis) -> None:
    async with worker(redis_server.url, listening=False) as store:
        redis = connect(redis_server.url)
        await store.set("busy", PYTHON, ttl=1000)
        await redis.expire("codeintel:scope:busy", 5)
        store._l1.clear()
        assert await store.get("busy") == PYTHON
        assert await redis.ttl("codeintel:scope:busy") > 900
        await redis.aclose()


async def test_without_redis_a_process_keeps_scopes_by_itself() -> None:
    store = ScopeStore(None)
    await store.set("alone", PYTHON)
    assert await store.get("alone") == PYTHON
    await store.delete("alone")
    assert await store.get("alone") is None
    assert store.available


async def test_redis_dies_and_comes_back() -> None:
    server = PrivateRedis()
    server.start()
    try:
        async with worker(server.url) as one, worker(server.url) as two:
            await one.set("before", PYTHON)
            server.stop()
            assert await one.get("before") == PYTHON
            assert await one.get("unknown") is None
            assert not one.available
            await one.set("during", GO)
            assert await one.get("during") == GO
            server.start()

            async def arrived() -> bool:
                return await two.get("during") == GO

            await until(arrived)
            assert one.available
            assert await one.get("during") == GO
            assert await two.get("before") == PYTHON
    finally:
        server.close()


async def test_a_redis_that_is_killed_is_started_again_and_has_what_it_lost() -> None:
    server = PrivateRedis()
    server.start()
    server.keep_alive()
    try:
        async with worker(server.url) as one, worker(server.url) as two:
            await one.set("kept", PYTHON)
            redis = connect(server.url)
            killed = (await redis.info("server"))["process_id"]
            os.kill(killed, signal.SIGKILL)

            async def arrived() -> bool:
                with suppress(RedisError, OSError):
                    return await redis.get(f"{PREFIX}kept") is not None
                return False

            await until(arrived)
            assert (await redis.info("server"))["process_id"] != killed
            assert await two.get("kept") == PYTHON
            await redis.aclose()
    finally:
        server.close()


async def test_a_scope_that_was_deleted_unheard_does_not_come_back(
    redis_server: PrivateRedis,
) -> None:
    async with worker(redis_server.url) as one:
        redis = connect(redis_server.url)
        await one.set("gone", PYTHON)
        tombstone = f"9{time.time_ns()} 600 ".encode()
        await redis.set(f"{PREFIX}gone", tombstone)
        await redis.client_kill_filter(_type="pubsub")

        async def seen() -> bool:
            return await one.get("gone") is None

        await until(seen)
        assert await redis.get(f"{PREFIX}gone") == tombstone
        await redis.aclose()


async def test_what_changed_while_the_connection_was_cut_is_asked_for_again(
    redis_server: PrivateRedis,
) -> None:
    async with worker(redis_server.url) as one:
        redis = connect(redis_server.url)
        await one.set("cut", PYTHON)
        unheard = f"9{time.time_ns()} 60 ".encode() + msgspec.json.encode(GO)
        await redis.set(f"{PREFIX}cut", unheard)
        assert await one.get("cut") == PYTHON
        await redis.client_kill_filter(_type="pubsub")

        async def seen() -> bool:
            return await one.get("cut") == GO

        await until(seen)
        await redis.aclose()


async def test_what_a_slow_redis_did_not_take_is_written_later(redis_server: PrivateRedis) -> None:
    impatient = Redis.from_url(redis_server.url, socket_timeout=0.1, retry=Retry(NoBackoff(), 0))
    store, redis = ScopeStore(impatient), connect(redis_server.url)
    before = await subscribers(redis)
    listener = asyncio.create_task(store.listen())

    async def heard() -> bool:
        return await subscribers(redis) > before

    await until(heard)
    await redis.client_pause(500)
    await store.set("slow", PYTHON)
    assert not store.available

    async def written() -> bool:
        return await redis.get(f"{PREFIX}slow") is not None

    await until(written)
    listener.cancel()
    await asyncio.wait({listener})
    await impatient.aclose()
    await redis.aclose()


async def test_words_on_the_channel_that_are_no_change_are_ignored(
    redis_server: PrivateRedis,
) -> None:
    async with worker(redis_server.url) as one, worker(redis_server.url) as two:
        redis = connect(redis_server.url)
        await one.set("noise", PYTHON)
        for noise in (b"", b"hello", b"a b c", b"\xff\xfe \xff", b"x 99999999999999999999 noise"):
            await redis.publish(CHANNEL, noise)
        await two.set("noise", GO)

        async def seen() -> bool:
            return await one.get("noise") == GO

        await until(seen)
        await redis.aclose()
