"""One call for everybody who asks for the same thing at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class AsyncSingleFlight:
    """Joins concurrent calls for one key; belongs to one event loop.

    The call runs in a task of its own, which a caller's cancellation does not touch: who else waits
    for it still gets its result. No lock is held while it runs, so that keys never wait for each
    other.
    """

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Future[Any]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    async def do(self, key: str, fn: Callable[[], Awaitable[T]]) -> T:
        """Return what ``fn`` returns, called once for all who wait; its exception reaches all."""
        flight: asyncio.Future[T] | None = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(fn())
            self._flights[key] = flight
            flight.add_done_callback(partial(self._landed, key))
        return await asyncio.shield(flight)

    def _landed(self, key: str, flight: asyncio.Future[Any]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen here, should every caller have gone away
