"""What a connection may not do to a server, tried on one that loses patience soon."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from codeintel_rev.app.connection import Connection

ENDLESS = (b"GET / HTTP/1.1\r\nX: " + b"x" * 1000, b"GET /" + b"y" * 1000)

Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Impatient(Connection):
    head_timeout_s = 0.2
    most_head_bytes = 4096


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    length = str(len(body)).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def connect() -> AsyncIterator[Open]:
    """Open connections to a server; it must end well with the test."""
    config = uvicorn.Config(
        echo, http=Impatient, lifespan="off", log_config=None, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = asyncio.create_task(server.serve([listening]))
        address = listening.getsockname()
        yield lambda: asyncio.open_connection(*address)
        server.should_exit = True
        await running


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n"], ids=repr)
async def test_who_asks_for_nothing_is_let_go(connect: Open, sent: bytes) -> None:
    reader, writer = await connect()
    writer.write(sent)
    assert await reader.read() == b""
    writer.close()


async def test_nor_may_a_second_request_begin_and_not_go_on(connect: Open) -> None:
    reader, writer = await connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(b"GET /again")
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("sent", ENDLESS, ids=["header", "address"])
async def test_a_head_without_end_is_refused(connect: Open, sent: bytes) -> None:
    reader, writer = await connect()
    writer.write(sent)
    for _ in range(8):
        await asyncio.sleep(0)
        writer.write(b"z" * 500)
    assert (await reader.readline()).startswith(b"HTTP/1.1 431")
    writer.close()


async def test_nor_does_a_body_end_in_headers_without_end(connect: Open) -> None:
    reader, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
    writer.write(b"X: y\r\n" * 1000)
    assert (await reader.readline()).startswith(b"HTTP/1.1 431")
    writer.close()


async def test_a_body_may_be_larger_than_a_head(connect: Open) -> None:
    body = b"b" * 100_000
    reader, writer = await connect()
    for _ in range(3):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(len(body)) == body
    writer.close()
