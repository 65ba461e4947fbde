"""Signs of life for clients that ask for them: a call that takes long says so."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Final

from fastmcp import Context
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

EVERY_S: Final = 1.0
"""Pause between two signs: short enough for clients that give up on a silent call."""


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
        teller = asyncio.create_task(self._tell(asked))
        try:
            return await call_next(context)
        finally:
            teller.cancel()
            await asyncio.wait({teller})

    async def _tell(self, asked: Context) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(self._every_s)
            seconds = number * self._every_s
            await asked.report_progress(seconds, message=f"at work for {seconds:g} s")


def _wants_progress(asked: Context) -> bool:
    request = asked.request_context
    return request is not None and "progressToken" in (request.meta or {})
