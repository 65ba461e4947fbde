"""Calls of tools that are being served, and word from their callers that they may end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Final

import msgspec
from anyio import CancelScope

from codeintel_rev.errors import Unavailable
from codeintel_rev.io.redis_notices import RedisNotices
from codeintel_rev.text.json_faults import NOT_JSON

CHANNEL: Final = "codeintel:cancelled-calls"

_LISTEN_AGAIN_S: Final = 0.5
"""Pause before listening again, after Redis went away."""

RequestId = str | int


class _Call(msgspec.Struct, frozen=True, array_like=True):
    """Which call is meant: the session's key and the number that its client gave it."""

    session: str
    request: RequestId


class RunningCalls:
    """The calls of one worker; belongs to one event loop.

    Any worker may be told that a call is to end: the one that serves it learns it through Redis.
    """

    def __init__(self, notices: RedisNotices | None) -> None:
        self._notices = notices
        self._running: dict[_Call, CancelScope] = {}

    @contextmanager
    def running(self, session: str, request: RequestId) -> Iterator[CancelScope]:
        """Open what is cancelled with the call; whoever serves the call enters it."""
        call, scope = _Call(session, request), CancelScope()
        self._running[call] = scope
        try:
            yield scope
        finally:
            if self._running.get(call) is scope:
                del self._running[call]

    async def cancel(self, session: str, request: RequestId) -> None:
        """End a call, wherever it is served; one that is over already is left alone."""
        call = _Call(session, request)
        if self._end(call) or self._notices is None:
            return
        with suppress(Unavailable):  # the call ends by itself, and its answer is not waited for
            await self._notices.tell(msgspec.json.encode(call))

    async def listen(self) -> None:
        """Follow what other workers are told, until cancelled."""
        while self._notices is not None:
            with suppress(Unavailable):
                async with aclosing(self._notices.heard()) as heard:
                    async for notice in heard:
                        with suppress(*NOT_JSON):
                            self._end(msgspec.json.decode(notice, type=_Call))
            await asyncio.sleep(_LISTEN_AGAIN_S)

    def _end(self, call: _Call) -> bool:
        scope = self._running.get(call)
        if scope is None:
            return False
        scope.cancel()
        return True
