"""Answers as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from anyio import CancelScope

from codeintel_rev.app.problems import encoded
from codeintel_rev.errors import CodeIntelError
from codeintel_rev.mcp_server.ports import AnswerStep
from codeintel_rev.mcp_server.public_errors import public

HEARTBEAT_S = 10.0
"""A connection that is silent for longer is given a comment, so that nobody on the way ends it."""


async def opened(events: AsyncGenerator[AnswerStep, None]) -> AsyncGenerator[AnswerStep, None]:
    """Wait for the first event and return all; what is wrong with the question is raised here."""
    try:
        first = await anext(events)
    except BaseException:
        await events.aclose()
        raise
    return _with_first(first, events)


async def event_stream(
    events: AsyncGenerator[AnswerStep, None], heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """Yield the events as they are sent, numbered from 1, with heartbeats between them.

    A failure is the last event.
    """
    number = 0
    async with aclosing(events):
        try:
            async for step in _with_heartbeats(events, heartbeat_s):
                if step is None:
                    yield b": still at work\n\n"
                else:
                    number += 1
                    yield _event(number, step)
        except CodeIntelError as error:
            shown = public(error)
            told = {"code": shown.code, "message": shown.message}
            yield _event(number + 1, AnswerStep("error", told))


async def _with_first(
    first: AnswerStep, rest: AsyncGenerator[AnswerStep, None]
) -> AsyncGenerator[AnswerStep, None]:
    async with aclosing(rest):
        yield first
        async for step in rest:
            yield step


async def _with_heartbeats(
    events: AsyncGenerator[AnswerStep, None], heartbeat_s: float
) -> AsyncIterator[AnswerStep | None]:
    """Yield each event, and ``None`` whenever the next one keeps waiting."""
    while True:
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({coming}, timeout=heartbeat_s))[0]:
                yield None
        finally:
            if not coming.done():
                coming.cancel()
                with CancelScope(shield=True):  # who hung up is cancelled again at every step
                    await asyncio.wait({coming})
        step = coming.result()
        if step is None:
            return
        yield step


def _event(number: int, step: AnswerStep) -> bytes:
    data = encoded(step.document)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, step.event.encode(), data)
