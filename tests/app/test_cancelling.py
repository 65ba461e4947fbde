"""Calls that end when their caller wishes, on whichever worker they are served."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
import pytest
from fastmcp import FastMCP
from starlette.types import Message

from codeintel_rev.app.mcp_endpoint import REQUEST_CANCELLED, McpEndpoint
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.app.running_calls import CHANNEL, RunningCalls
from codeintel_rev.io.redis_notices import RedisNotices
from codeintel_rev.io.redis_scopes import connect
from codeintel_rev.mcp_server.callers import Caller, SessionSigner

SIGNER = SessionSigner(b"shared by the workers")
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}

WAIT = {"name": "wait", "arguments": {}}


class Worker:
    """One tool that waits, behind the endpoint of the server."""

    def __init__(self, calls: RunningCalls) -> None:
        self.endpoint = McpEndpoint(SIGNER)
        self.endpoint.calls = calls
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.server: FastMCP[Any] = FastMCP("waiting")
        self.server.tool(self.wait)
        self.server.tool(self.greet)

    async def wait(self) -> str:
        self.begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.ended.set()
        return "waited"

    async def greet(self) -> str:
        return "hello"

    async def post(self, session: str, principal: str = "", **message: Any) -> httpx2.Response:
        """Send a message as the guard hands it on."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["state"] = {"caller": Caller(principal, session=session)}
            await self.endpoint(scope, receive, send)

        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {**ACCEPT, "Mcp-Session-Id": session}
            return await client.post("/mcp", json={"jsonrpc": "2.0", **message}, headers=headers)

    async def call(self, session: str, number: int | str = 7) -> httpx2.Response:
        return await self.post(session, id=number, method="tools/call", params=WAIT)

    async def cancel(
        self, session: str, number: int | str = 7, principal: str = ""
    ) -> httpx2.Response:
        return await self.post(
            session,
            principal,
            method="notifications/cancelled",
            params={"requestId": number, "reason": "not wanted"},
        )


@asynccontextmanager
async def serving(calls: RunningCalls) -> AsyncIterator[Worker]:
    worker = Worker(calls)
    listener = asyncio.create_task(calls.listen())
    async with worker.endpoint.serving(worker.server):
        yield worker
    listener.cancel()
    with suppress(asyncio.CancelledError):
        await listener


@asynccontextmanager
async def two_workers(url: str) -> AsyncIterator[tuple[Worker, Worker]]:
    redis = connect(url)

    async def both_listen() -> bool:
        ((_, count),) = await redis.pubsub_numsub(CHANNEL)
        return int(count) == 2

    one, two = (RunningCalls(RedisNotices(redis, CHANNEL)) for _ in range(2))
    async with serving(one) as first, serving(two) as second:
        await until(both_listen)
        yield first, second
    await redis.aclose()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  another process decides
            await asyncio.sleep(0.01)


async def begun(worker: Worker, session: str, number: int | str = 7) -> asyncio.Task[Any]:
    call = asyncio.create_task(worker.call(session, number))
    await asyncio.wait_for(worker.begun.wait(), 60)
    return call


@pytest.mark.parametrize("number", [7, "seven"])
async def test_a_call_ends_when_its_caller_cancels_it(number: int | str) -> None:
    async with serving(RunningCalls(None)) as worker:
        session = SIGNER.mint()
        call = await begun(worker, session, number)
        assert (await worker.cancel(session, number)).status_code == 202
        answered = await asyncio.wait_for(call, 60)
        assert worker.ended.is_set()
        assert str(REQUEST_CANCELLED) in answered.text


async def test_a_call_ends_when_its_caller_hangs_up() -> None:
    async with serving(RunningCalls(None)) as worker:
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": WAIT})

        async def receive() -> Message:
            if not coming:
                await worker.begun.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": coming.pop()}

        async def send(_: Message) -> None:
            pass

        coming = [body.encode()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/mcp",
            "query_string": b"",
            "headers": [(name.lower().encode(), told.encode()) for name, told in ACCEPT.items()],
            "state": {"caller": Caller()},
        }
        await asyncio.wait_for(worker.endpoint(scope, receive, send), 60)
        assert worker.ended.is_set()


@pytest.mark.parametrize(
    ("meta", "kind"),
    [({}, "application/json"), ({"progressToken": 0}, "text/event-stream")],
    ids=["told once", "told meanwhile"],
)
async def test_who_wants_no_progress_is_answered_by_a_document(
    meta: dict[str, Any], kind: str
) -> None:
    async with serving(RunningCalls(None)) as worker:
        params = {"name": "greet", "arguments": {}, "_meta": meta}
        answered = await worker.post(SIGNER.mint(), id=1, method="tools/call", params=params)
    assert answered.headers["content-type"].partition(";")[0] == kind
    assert "hello" in answered.text


async def test_a_call_ends_though_another_worker_is_told(redis_server: PrivateRedis) -> None:
    async with two_workers(redis_server.url) as (serves, told):
        session = SIGNER.mint()
        call = await begun(serves, session)
        assert (await told.cancel(session)).status_code == 202
        answered = await asyncio.wait_for(call, 60)
        assert serves.ended.is_set()
        assert str(REQUEST_CANCELLED) in answered.text


async def test_nobody_cancels_the_call_of_another() -> None:
    async with serving(RunningCalls(None)) as worker:
        session = SIGNER.mint()
        call = await begun(worker, session)
        await worker.cancel(SIGNER.mint())
        await worker.cancel(session, principal="eve")
        await worker.cancel(session, number=8)
        await worker.cancel(session, number="7")
        await worker.cancel("forged.session")
        assert not worker.ended.is_set()
        await worker.cancel(session)
        await asyncio.wait_for(call, 60)


async def test_what_is_over_cannot_be_cancelled() -> None:
    calls = RunningCalls(None)
    with calls.running("s", 1) as scope:
        pass
    await calls.cancel("s", 1)
    assert not scope.cancel_called


async def test_a_worker_that_finds_no_redis_goes_on() -> None:
    redis = connect("redis://127.0.0.1:1")
    calls = RunningCalls(RedisNotices(redis, CHANNEL))
    listener = asyncio.create_task(calls.listen())
    await calls.cancel("s", 1)
    with calls.running("s", 2) as scope:
        await calls.cancel("s", 2)
        assert scope.cancel_called
    assert not listener.done()
    listener.cancel()
    with suppress(asyncio.CancelledError):
        await listener
    await redis.aclose()
