"""Work that a server does again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

_log = logging.getLogger(__name__)


def every(pause_s: float, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Do ``work`` now, and again ``pause_s`` after it is done; belongs to the running event loop.

    Returns what ends it, once work that is under way is done.
    """
    over = asyncio.Event()

    async def repeat() -> None:
        while not over.is_set():
            try:
                await work()
            except Exception:  # the next time may be better, and nobody waits for this one
                _log.exception("work that is done again and again failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), pause_s)

    repeating = asyncio.create_task(repeat())

    async def stop() -> None:
        over.set()
        await repeating

    return stop
