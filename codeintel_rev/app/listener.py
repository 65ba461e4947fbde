"""Taking connections from a socket that all workers of a server listen on."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import uvloop

from codeintel_rev.app.connection_counts import ConnectionCounts

_MOST_CONNECTIONS: Final = 10_000
"""Connections that a worker holds at a time, where it may; others wait until one of them ends."""

_TURN_S: Final = 0.001
_TURNS: Final = 5
"""How often a worker that is ahead looks again before it takes what nobody else took, one a turn."""

_REFUSED_PAUSE_S: Final = 1.0
"""How long nothing is taken after the system refused to, as it does where there is no room for more."""

_log = logging.getLogger(__name__)


class Connected(Protocol):
    """What serves a connection."""

    lost: asyncio.Future[None]
    """Done once the connection has ended."""


class Listener:
    """Takes connections, those of one client evenly with the other workers.

    Whichever worker wakes first would take every connection of a client that opens many at once, and
    the others would have nothing to do. So a worker that is ahead lets the others go first for some
    milliseconds, which is also how long a worker that is stuck or dead keeps anybody waiting.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: Callable[[], Any],
        listening: socket.socket,
        counts: ConnectionCounts,
        most: int,
    ) -> None:
        """Listen; ``connected`` makes the protocol (``Connected``) of each of ``most`` connections."""
        self._loop = loop
        self._connected = connected
        self._listening = listening
        self._counts = counts
        self._most = most
        self._serving: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        self._closed = False
        listening.setblocking(False)
        self._watch()

    def close(self) -> None:
        """Take no more connections; those that are there go on."""
        self._closed = True
        self._counts.leave()
        self._rest()

    async def wait_closed(self) -> None:
        """Return at once: nothing is left to wait for."""

    def _watch(self) -> None:
        self._loop.add_reader(self._listening, self._look)

    def _rest(self) -> None:
        self._loop.remove_reader(self._listening)
        if self._later is not None:
            self._later.cancel()

    def _look(self) -> None:
        """Take a connection that waits, unless it is another's turn."""
        if self._counts.is_ahead:
            self._rest()
            self._later = self._loop.call_later(_TURN_S, self._look_again, _TURNS)
            return
        while self._take() and not self._counts.is_ahead:
            pass

    def _look_again(self, turns: int) -> None:
        """Look whose turn it is now; what the others leave waiting for long is taken bit by bit."""
        if not self._counts.is_ahead:
            self._watch()
        elif turns or self._take():
            self._later = self._loop.call_later(_TURN_S, self._look_again, max(0, turns - 1))

    def _take(self) -> bool:
        """Take one connection; returns whether there may be more, and looks after that if not."""
        if len(self._serving) >= self._most:
            self._rest()
            return False
        try:
            accepted, _ = self._listening.accept()
        except ConnectionAbortedError:
            return True
        except (BlockingIOError, InterruptedError):
            self._watch()
            return False
        except OSError as error:
            _log.warning("no connection can be taken: %s", error.strerror)
            self._rest()
            self._later = self._loop.call_later(_REFUSED_PAUSE_S, self._watch)
            return False
        self._counts.add(1)
        task = self._loop.create_task(self._serve(accepted))
        self._serving.add(task)
        task.add_done_callback(self._ended)
        return True

    async def _serve(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        connection: Connected
        _, connection = await self._loop.connect_accepted_socket(self._connected, accepted)
        await connection.lost

    def _ended(self, task: asyncio.Task[None]) -> None:
        was_full = len(self._serving) >= self._most
        self._serving.discard(task)
        self._counts.add(-1)
        if was_full and not self._closed:
            self._watch()


class ListeningLoop(uvloop.Loop):
    """An event loop that shares what it listens on with those of other workers."""

    def __init__(self, counts: Path) -> None:
        """Share ``counts`` (see ``create_counts``) with the other workers."""
        super().__init__()
        self._counts = counts

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], *, sock: socket.socket, **_: Any
    ) -> Listener:
        """Serve the connections that come to ``sock``, which listens already."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        most = min(_MOST_CONNECTIONS, files // 2) if files > 0 else _MOST_CONNECTIONS
        return Listener(self, protocol_factory, sock, ConnectionCounts(self._counts), most)
