"""An open-loop load generator: requests are sent when they are due, whatever became of the last.

A time counts from the moment at which its request was due, so that a server which answers late
cannot hide it by being asked later.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from histogram import Histogram
from targets import Target

CONNECTIONS = 512
DRAIN_S = 40.0
"""How long the last answers are awaited: longer than the server lets a request take."""
RECONNECT_S = 0.05
TICK_S = 0.001
REFUSALS = frozenset({429, 503})

Due = tuple[float, Target]


@dataclass
class Outcome:
    """What became of the requests of one phase."""

    statuses: Counter[str] = field(default_factory=Counter)
    answered: Histogram = field(default_factory=Histogram)
    refused: Histogram = field(default_factory=Histogram)
    refused_since_sent: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    """How long after it was due a request left: the generator's own part of a time."""
    by_second: defaultdict[int, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    """The answered ones, by the second of the phase in which they were due."""
    broken_by_second: Counter[int] = field(default_factory=Counter)
    refused_by_second: Counter[int] = field(default_factory=Counter)

    def lost(self, second: int) -> None:
        """Count a request whose connection broke."""
        self.statuses["broken"] += 1
        self.broken_by_second[second] += 1

    def note(
        self, status: int, *, retry_after: bool, second: int, took_s: float, since_s: float
    ) -> None:
        """Count a response; a refusal that does not say when to come back is a fault."""
        if status == 200:
            self.answered.add(took_s)
            self.by_second[second].add(took_s)
        elif status in REFUSALS and retry_after:
            self.refused.add(took_s)
            self.refused_by_second[second] += 1
            self.refused_since_sent.add(since_s)
        self.statuses[str(status) if status not in REFUSALS or retry_after else "bare"] += 1


class Phase:
    """One rate for a while, over connections that are kept and opened as they are needed."""

    def __init__(
        self,
        port: int,
        rate: float,
        seconds: float,
        is_right: Callable[[Target, bytes], bool] = lambda _target, _body: True,
    ) -> None:
        """Send to ``port``; what was answered and ``is_right`` denies is counted as wrong."""
        self._port = port
        self._is_right = is_right
        self._rate = rate
        self._count = round(rate * seconds)
        self._due: asyncio.Queue[Due] = asyncio.Queue()
        self._idle = 0
        self._begun = 0.0
        self._connections: set[asyncio.Task[None]] = set()
        self.outcome = Outcome()

    async def run(self, targets: Iterator[Target]) -> Outcome:
        """Send the requests and return what became of them."""
        self._begun = time.perf_counter() + 0.1
        for number in range(self._count):
            due = self._begun + number / self._rate
            if (wait_s := due - time.perf_counter()) > 0:
                await asyncio.sleep(max(wait_s, TICK_S))
            if number % 64 == 63:  # answers are read even while the generator is late
                await asyncio.sleep(0)
            self._put((due, next(targets)))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._due.join(), DRAIN_S)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        missing = self._count - self.outcome.statuses.total()
        self.outcome.statuses.update({"unanswered": missing} if missing else {})
        return self.outcome

    def _put(self, due: Due) -> None:
        self._due.put_nowait(due)
        if self._due.qsize() > self._idle and len(self._connections) < CONNECTIONS:
            self._connections.add(asyncio.create_task(self._connection()))

    async def _connection(self) -> None:
        """Send what is due until the end, over as many connections as the server closes."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                while await self._exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send one request and read its response; returns whether the connection is still good."""
        self._idle += 1
        try:
            due, target = await self._due.get()
        finally:
            self._idle -= 1
        sent = time.perf_counter()
        self.outcome.lateness.add(sent - due)
        try:
            writer.write(request(target))
            status, retry_after, closing, body = await read_response(reader)
        except (OSError, EOFError):
            self.outcome.lost(int(due - self._begun))
            return False
        finally:
            self._due.task_done()
        now = time.perf_counter()
        if status == 200 and not self._is_right(target, body):
            self.outcome.statuses["wrong"] += 1
            return not closing
        self.outcome.note(
            status,
            retry_after=retry_after,
            second=int(due - self._begun),
            took_s=now - due,
            since_s=now - sent,
        )
        return not closing


def request(target: Target) -> bytes:
    """Return the bytes of a request."""
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Accept: {target.accept}\r\nContent-Length: {len(target.body)}\r\n\r\n"
    )
    return head.encode() + target.body


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bool, bool, bytes]:
    """Return a status, whether it says when to try again, whether it is the last, and the body.

    Raises ``OSError`` or ``EOFError`` where the connection breaks.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    if length:
        body = await reader.readexactly(int(length))
    else:
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    status = int(head.split(b" ", 2)[1])
    return status, b"\r\nretry-after:" in head, b"connection: close" in head, body
