"""A server that is sent what it cannot use refuses it, tells nothing of its insides, and goes on."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from urllib.parse import urlsplit

import httpx2

from .malformed_calls import USUAL, Request, hello, requests

COUNT = int(os.environ.get("MALFORMED_CALLS", "300"))
SEED = int(os.environ.get("MALFORMED_SEED", "1"))
TIMEOUT_S = 60
SESSIONS = 3
AT_A_TIME = 8
RESET = struct.pack("ii", 1, 0)
"""``SO_LINGER`` of a connection that ends without a farewell."""


async def test_no_malformed_call_hangs_or_breaks_the_server(two_workers: str) -> None:
    async with httpx2.AsyncClient(timeout=TIMEOUT_S) as client:
        sessions = [await begun(client, two_workers) for _ in range(SESSIONS)]
        supply = enumerate(requests(COUNT, SEED, sessions))

        async def send_in_turn() -> None:
            for number, request in supply:
                await send(client, two_workers, number, request)

        await asyncio.gather(*(send_in_turn() for _ in range(AT_A_TIME)))
        for session in sessions:
            assert await begun(client, two_workers) != session
        found = await client.post(f"{two_workers}/v1/search", json={"query": "total price"})
        assert found.json()["hits"]


async def begun(client: httpx2.AsyncClient, address: str) -> str:
    """Begin a session of the older protocol."""
    told = await client.post(f"{address}/mcp", headers=USUAL, content=hello())
    assert told.status_code == 200, told.text
    return told.headers["mcp-session-id"]


async def send(client: httpx2.AsyncClient, address: str, number: int, request: Request) -> None:
    """Send a request; what comes back is an answer or a refusal in plain words."""
    method, headers, body, manner = request
    if manner != "fair":
        await asyncio.to_thread(hang_up, address, request)
        return
    told = await client.request(method, f"{address}/mcp", headers=headers, content=body)
    about = f"call {number}: {method} {body[:300]!r} -> {told.status_code} {told.text[:500]}"
    assert told.status_code < 500 or (told.status_code == 503 and "retry-after" in told.headers), (
        about
    )
    assert "Traceback" not in told.text, about
    assert "site-packages" not in told.text, about


def hang_up(address: str, request: Request) -> None:
    """Send a request, or half of it, and be gone."""
    place = urlsplit(address)
    assert place.hostname
    assert place.port
    lines = [f"{request.method} /mcp HTTP/1.1"]
    lines += [
        f"{name}: {value}" for name, value in {"Host": "localhost", **request.headers}.items()
    ]
    lines += [f"Content-Length: {len(request.body)}", "", ""]
    sent = len(request.body) // 2 if request.manner == "half" else len(request.body)
    with socket.create_connection((place.hostname, place.port), TIMEOUT_S) as connection:
        connection.sendall("\r\n".join(lines).encode() + request.body[:sent])
        if len(request.body) % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def test_the_sender_of_too_much_is_told_so(two_workers: str) -> None:
    told = httpx2.post(f"{two_workers}/mcp", headers=USUAL, content=b" " * 4_000_000, timeout=60)
    assert told.status_code == 413
    assert "more than 1,048,576 bytes" in told.json()["message"]
