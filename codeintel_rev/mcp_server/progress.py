"""Signs of life for clients that ask for them: a call that takes long says so, or what it has so far."""

from __future__ import annotations

import asyncio
import itertools
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final

from fastmcp import Context
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

EVERY_S: Final = 1.0
"""Pause between two signs: short enough for clients that give up on a silent call."""

_LEAST_S: Final = 1e-6


class _Signs:
    """What one call has told; progress that does not grow is no progress to a client."""

    def __init__(self, asked: Context) -> None:
        self.since = monotonic()
        self._asked = asked
        self._last = 0.0

    async def give(self, seconds: float, message: str) -> None:
        self._last = max(seconds, self._last + _LEAST_S)
        await self._asked.report_progress(self._last, message=message)


_SIGNS: ContextVar[_Signs | None] = ContextVar("signs", default=None)


class Progress(Middleware):
    """Tells how long a call has been at work, while it is; nothing knows how long it will be."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        """Give a sign every ``every_s`` seconds."""
        self._every_s = every_s

    async def on_call_tool(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Call the tool, and tell who asked for it that it is at work."""
        asked = context.fastmcp_context
        if asked is None or not _wants_progress(asked):
            return await call_next(context)
        signs = _Signs(asked)
        reset = _SIGNS.set(signs)
        teller = asyncio.create_task(self._tell(signs))
        try:
            return await call_next(context)
        finally:
            _SIGNS.reset(reset)
            teller.cancel()
            await asyncio.wait({teller})

    async def _tell(self, signs: _Signs) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(self._every_s)
            seconds = number * self._every_s
            await signs.give(seconds, f"at work for {seconds:g} s")


async def tell(text: str) -> None:
    """Tell whoever waits for the present call what it has so far, if they want to know."""
    signs = _SIGNS.get()
    if signs is not None:
        await signs.give(monotonic() - signs.since, text)


def _wants_progress(asked: Context) -> bool:
    request = asked.request_context
    return request is not None and "progressToken" in (request.meta or {})
