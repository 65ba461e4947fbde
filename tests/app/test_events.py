"""Answers as events, and what becomes of them when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Message

from codeintel_rev.app.events import event_stream
from codeintel_rev.mcp_server.ports import AnswerStep


async def test_an_answer_ends_in_its_own_time_when_its_client_is_gone() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def answer() -> AsyncGenerator[AnswerStep, None]:
        yield AnswerStep("token", {"content": "a"})
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            for _ in range(20):  # as the connection to a model is closed
                await asyncio.sleep(0)
            ended.set()

    async def receive() -> Message:
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    response = StreamingResponse(event_stream(answer()))
    await response({"type": "http"}, receive, send)
    assert ended.is_set()


async def test_a_silent_answer_is_told_to_be_at_work() -> None:
    told = asyncio.Event()

    async def answer() -> AsyncGenerator[AnswerStep, None]:
        await told.wait()
        yield AnswerStep("token", {"content": "a"})

    events = event_stream(answer(), heartbeat_s=0.01)
    assert (await anext(events)).startswith(b":")
    told.set()
    assert b'{"content":"a"}' in [event async for event in events][-1]
