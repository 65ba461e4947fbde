"""A call that takes long says that it is at work."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastmcp import Client, FastMCP

from codeintel_rev.mcp_server.progress import Progress


async def test_whoever_asks_for_progress_hears_until_the_call_is_done() -> None:
    server = FastMCP("slow", middleware=[Progress(every_s=0.001)])
    heard: list[tuple[float, str | None]] = []
    enough = asyncio.Event()

    @server.tool
    async def slow() -> str:
        await enough.wait()
        return "done"

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))
        if len(heard) == 3:
            enough.set()

    async with Client(server) as client:
        result = await asyncio.wait_for(client.call_tool("slow", progress_handler=hear), 60)
    assert result.data == "done"
    assert heard[:2] == [(0.001, "at work for 0.001 s"), (0.002, "at work for 0.002 s")]


async def test_an_answer_is_told_while_it_is_written(client: Client[Any]) -> None:
    heard: list[tuple[float, str]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message or ""))

    question = {"query": "How is the total price computed?"}
    result = await client.call_tool("answer_query", question, progress_handler=hear)

    answer = json.loads(result.content[0].text)
    told = [message for _, message in heard if not message.startswith("at work for ")]
    assert "".join(told) == answer["answer"]
    assert [progress for progress, _ in heard] == sorted({progress for progress, _ in heard})
    trace = result.meta["codeintel/trace"]
    assert trace["trace_id"] == answer["trace_id"] == result.meta["codeintel/trace_id"]
    assert trace["bm25_latency_ms"] is not None
    assert "_meta" not in answer


async def test_a_search_tells_its_name_beside_its_hits(client: Client[Any]) -> None:
    results = [await client.call_tool("semantic_search", {"query": "price"}) for _ in range(2)]

    names = [result.meta["codeintel/trace_id"] for result in results]
    assert len(set(names)) == 2
    assert "trace_id" not in results[0].content[0].text
