"""An answer that is not wanted any more: the server lets go of the model that was writing it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.fakes.model_server import ModelServer, serving
from tests.functional.conftest import running

PATIENCE_S = 60.0
ROUNDS = 4
"""Calls to cancel: of two workers, the word of it may reach either."""


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    """A chat model that begins, and then says nothing more."""
    with serving(ModelServer()) as model:
        model.stall_after = 2
        yield model


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def address(request: pytest.FixtureRequest, shop: Path, model: ModelServer) -> Iterator[str]:
    """A server whose answers are written by the model."""
    patient = {"ANSWER_SYNTHESIS_GAP_MS": "120000", "ANSWER_SYNTHESIS_TOTAL_MS": "120000"}
    arguments = ("--repo", str(shop), "--workers", request.param)
    with running(*arguments, VLLM_BASE_URL=model.url, VLLM_CHAT_MODEL="m", **patient) as found:
        yield found[1]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_model_is_let_go(address: str, model: ModelServer, mode: str) -> None:
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(limits=limits, timeout=PATIENCE_S) as http:
        transport = streamable_http_client(f"{address}/mcp", http_client=http)
        async with Client(transport, mode=mode, read_timeout_seconds=PATIENCE_S) as client:
            for _ in range(ROUNDS):
                await cancelled(client, model)


async def test_a_stream_that_nobody_reads_ends(address: str, model: ModelServer) -> None:
    model.cancelled.clear()
    async with (
        httpx2.AsyncClient(timeout=PATIENCE_S) as client,
        client.stream(
            "POST",
            f"{address}/v1/answers",
            json={"query": "how is the total price computed?"},
            headers={"Accept": "text/event-stream"},
        ) as answer,
    ):
        await anext(answer.aiter_lines())
    assert await asyncio.to_thread(model.cancelled.wait, PATIENCE_S)


async def cancelled(client: Client, model: ModelServer) -> None:
    model.cancelled.clear()
    asked = len(model.bodies("/v1/chat/completions"))
    question = {"query": "how is the total price computed?"}
    call = asyncio.create_task(client.call_tool("answer_query", question))
    async with asyncio.timeout(PATIENCE_S):
        while len(model.bodies("/v1/chat/completions")) == asked:  # noqa: ASYNC110  in a thread
            await asyncio.sleep(0.01)
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(model.cancelled.wait, PATIENCE_S)
