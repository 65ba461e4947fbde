"""Work for a request whose client has gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Request
from starlette.types import Message

from codeintel_rev.app.hang_up import GONE, awaited


def request(*coming: str) -> Request:
    """Return a request of which these messages are still to come, and then nothing."""
    messages = list(coming)

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return {"type": messages.pop(0)}

    return Request({"type": "http"}, receive)


async def endless(ended: asyncio.Event) -> dict[str, Any]:
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()
    return {}


async def test_work_ends_with_the_connection() -> None:
    ended = asyncio.Event()
    gone = request("http.request", "http.disconnect")
    response = await asyncio.wait_for(awaited(gone, endless(ended)), 60)
    assert ended.is_set()
    assert response.status_code == GONE


async def test_a_client_that_stays_gets_its_document() -> None:
    async def document() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"found": 1}

    response = await awaited(request("http.request"), document())
    assert (response.status_code, response.body) == (200, b'{"found":1}')


async def test_a_failure_is_told_as_it_is() -> None:
    async def failing() -> dict[str, Any]:
        raise LookupError

    with pytest.raises(LookupError):
        await awaited(request(), failing())


async def test_whoever_cancels_the_request_cancels_the_work() -> None:
    ended = asyncio.Event()
    serving = asyncio.create_task(awaited(request(), endless(ended)))
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not asyncio.all_tasks() - {asyncio.current_task()}
