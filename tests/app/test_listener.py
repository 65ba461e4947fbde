"""Connections are spread evenly over the workers of a server, and wait for none of them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.app.connection_counts import ConnectionCounts, create_counts
from codeintel_rev.app.listener import Listener

Connect = Callable[[], Coroutine[Any, Any, tuple[bytes, asyncio.StreamWriter]]]


class Worker(asyncio.Protocol):
    """The end of a connection that names its worker to its client."""

    def __init__(self, name: bytes) -> None:
        self.lost = asyncio.get_running_loop().create_future()
        self._name = name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._name)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    return create_counts(tmp_path)


@asynccontextmanager
async def listening(
    *workers: tuple[bytes, ConnectionCounts], most: int = 100
) -> AsyncIterator[Connect]:
    """Give what connects to a socket that the workers share, and tells which of them took it."""
    loop = asyncio.get_running_loop()
    ends: list[Worker] = []
    writers: list[asyncio.StreamWriter] = []

    def made(name: bytes) -> Worker:
        ends.append(Worker(name))
        return ends[-1]

    async def connect() -> tuple[bytes, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*address)
        writers.append(writer)
        return await reader.readexactly(1), writer

    with socket.create_server(("127.0.0.1", 0)) as shared, ExitStack() as open_ones:
        address = shared.getsockname()
        for name, counts in workers:
            own = open_ones.enter_context(shared.dup())
            listener = Listener(loop, partial(made, name), own, counts, most)
            open_ones.callback(listener.close)
        try:
            yield connect
        finally:
            for writer in writers:
                writer.close()
            await asyncio.gather(*(end.lost for end in ends))


@pytest.mark.parametrize("size", [16, 64])
async def test_a_pool_that_is_opened_at_once_is_shared(counts: Path, size: int) -> None:
    a, b = ConnectionCounts(counts), ConnectionCounts(counts)
    async with listening((b"a", a), (b"b", b)) as connect:
        taken = [name for name, _ in await asyncio.gather(*(connect() for _ in range(size)))]
    assert abs(taken.count(b"a") - taken.count(b"b")) <= size / 8 + 1


async def test_a_worker_that_lost_its_connections_is_given_the_next_ones(counts: Path) -> None:
    a, b = ConnectionCounts(counts), ConnectionCounts(counts)
    async with listening((b"a", a), (b"b", b)) as connect:
        first = await asyncio.gather(*(connect() for _ in range(8)))
        for name, writer in first:
            if name == b"a":
                writer.close()
        while not b.is_ahead:  # noqa: ASYNC110  another end notices
            await asyncio.sleep(0.01)
        assert [(await connect())[0] for _ in range(2)] == [b"a", b"a"]


async def test_a_worker_that_does_nothing_keeps_nobody_waiting(counts: Path) -> None:
    idle, busy = ConnectionCounts(counts), ConnectionCounts(counts)
    async with listening((b"b", busy)) as connect:
        taken = await asyncio.gather(*(connect() for _ in range(20)))
    assert [name for name, _ in taken] == [b"b"] * 20
    assert not idle.is_ahead


async def test_a_worker_that_takes_no_more_holds_nobody_back(counts: Path) -> None:
    ending, busy = ConnectionCounts(counts), ConnectionCounts(counts)
    async with listening((b"e", ending)) as connect:
        await connect()
    busy.add(1)
    assert not busy.is_ahead


async def test_who_comes_when_there_is_no_room_waits_until_somebody_leaves(counts: Path) -> None:
    async with listening((b"a", ConnectionCounts(counts)), most=2) as connect:
        (_, first), _ = await asyncio.gather(connect(), connect())
        third = asyncio.create_task(connect())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(third), 0.1)
        first.close()
        assert (await third)[0] == b"a"


class Refusing(socket.socket):
    """A listening socket whose first connection cannot be taken."""

    has_refused = False

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.has_refused:
            self.has_refused = True
            raise OSError(errno.EPROTO, "Protocol error")
        return super().accept()


async def test_what_the_system_refuses_once_is_tried_again(counts: Path) -> None:
    _idle, ahead = ConnectionCounts(counts), ConnectionCounts(counts)
    ahead.add(1)
    loop = asyncio.get_running_loop()
    worker = Worker(b"a")
    with socket.create_server(("127.0.0.1", 0)) as shared:
        address = shared.getsockname()
        with Refusing(fileno=shared.dup().detach()) as own:
            listener = Listener(loop, lambda: worker, own, ahead, 10)
            reader, writer = await asyncio.open_connection(*address)
            assert await asyncio.wait_for(reader.readexactly(1), 60) == b"a"
            writer.close()
            await worker.lost
            listener.close()


def test_a_count_of_its_own_for_each_worker(counts: Path) -> None:
    one, two = ConnectionCounts(counts), ConnectionCounts(counts)
    assert not one.is_ahead
    one.add(1)
    assert (one.is_ahead, two.is_ahead) == (True, False)
    two.add(1)
    assert (one.is_ahead, two.is_ahead) == (False, False)


def test_an_eighth_more_is_not_ahead(counts: Path) -> None:
    one, two = ConnectionCounts(counts), ConnectionCounts(counts)
    two.add(16)
    one.add(18)
    assert not one.is_ahead
    one.add(1)
    assert one.is_ahead
