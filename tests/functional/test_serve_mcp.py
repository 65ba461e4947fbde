"""The official MCP client against a server with two workers, and over standard input and output."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

BOTH_PROTOCOLS = pytest.mark.parametrize("mode", ["legacy", "auto"])
"""``legacy`` begins with ``initialize`` and keeps the session id that it is given; the newer
protocol knows neither."""


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    return json.loads(result.content[0].text)


def files_of(found: Any) -> set[str]:
    return {hit["uri"] for hit in found["hits"]}


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """A client that opens a connection for each call, so that the calls meet both workers."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as client:
        yield client


@BOTH_PROTOCOLS
async def test_a_scope_holds_on_every_worker(
    two_workers: str, http: httpx2.AsyncClient, mode: str
) -> None:
    transport = streamable_http_client(f"{two_workers}/mcp", http_client=http)
    async with Client(transport, mode=mode, read_timeout_seconds=60) as client:
        handle = (await called(client, "set_scope", scope={"languages": ["go"]}))["session_id"]
        for turn in range(25):
            language, file = ("python", "price.py") if turn % 2 else ("go", "price.go")
            await called(client, "set_scope", scope={"languages": [language]}, session=handle)
            found = await called(client, "semantic_search", query="total price", session=handle)
            assert files_of(found) == {file}, turn


async def test_a_client_that_is_given_a_session_needs_no_handle(
    two_workers: str, http: httpx2.AsyncClient
) -> None:
    transport = streamable_http_client(f"{two_workers}/mcp", http_client=http)
    async with Client(transport, mode="legacy", read_timeout_seconds=60) as client:
        await called(client, "set_scope", scope={"languages": ["go"]})
        for _ in range(10):
            found = await called(client, "semantic_search", query="total price")
            assert files_of(found) == {"price.go"}


async def test_sessions_do_not_see_each_other(two_workers: str) -> None:
    async with AsyncExitStack() as clients:
        one, two = [
            await clients.enter_async_context(
                Client(f"{two_workers}/mcp", mode="legacy", read_timeout_seconds=60)
            )
            for _ in range(2)
        ]
        await called(one, "set_scope", scope={"languages": ["go"]})
        assert files_of(await called(two, "semantic_search", query="total price")) == {
            "price.go",
            "price.py",
        }


@BOTH_PROTOCOLS
async def test_an_agent_works_over_standard_input_and_output(shop: Path, mode: str) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "codeintel_rev", "mcp", "--repo", str(shop)],
    )
    async with Client(command, mode=mode, read_timeout_seconds=60) as client:
        assert "semantic_search" in (client.instructions or "")
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"set_scope", "semantic_search", "answer_query", "open_file"} <= tools
        await called(client, "set_scope", scope={"languages": ["go"]})
        found = await called(client, "semantic_search", query="total price")
        assert files_of(found) == {"price.go"}
        answer = await called(client, "answer_query", query="where is the total price computed?")
        assert "price.go:" in answer["answer"]
