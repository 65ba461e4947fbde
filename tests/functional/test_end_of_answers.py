"""A server that is told to stop while a model is still writing answers."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx2

from tests.fakes.model_server import ModelServer, serving
from tests.functional.conftest import END_TIMEOUT_S, started

QUESTION = {"query": "how is the total price computed?"}
STREAM = {"Accept": "text/event-stream"}
PATIENT = {"ANSWER_SYNTHESIS_GAP_MS": "120000", "ANSWER_SYNTHESIS_TOTAL_MS": "120000"}


async def test_who_waits_is_told_and_nothing_is_called_a_fault(shop: Path) -> None:
    with serving(ModelServer()) as model:
        model.stall_after = 2
        settings = {"VLLM_BASE_URL": model.url, "VLLM_CHAT_MODEL": "m", **PATIENT}
        with started("--repo", str(shop), SERVER_DRAIN_TIMEOUT_S="1", **settings) as (
            process,
            address,
        ):
            assert process.stderr is not None
            async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
                async with client.stream(
                    "POST", "/v1/answers", json=QUESTION, headers=STREAM
                ) as one:
                    await anext(one.aiter_lines())  # and then hang up
                waiting = asyncio.create_task(client.post("/v1/answers", json=QUESTION))
                async with client.stream(
                    "POST", "/v1/answers", json=QUESTION, headers=STREAM
                ) as two:
                    await anext(two.aiter_lines())
                    await asked(model, 3)
                    process.send_signal(signal.SIGTERM)
                    told = await waiting
            assert (told.status_code, told.json()["code"]) == (503, "unavailable")
            assert "Retry-After" in told.headers
            assert await asyncio.to_thread(process.wait, END_TIMEOUT_S) == 0
            assert "Traceback" not in process.stderr.read()


async def test_a_call_that_is_done_in_time_is_answered(shop: Path) -> None:
    call = {"name": "answer_query", "arguments": QUESTION}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    with serving(ModelServer()) as model:
        model.delay_s = 1.0
        settings = {"VLLM_BASE_URL": model.url, "VLLM_CHAT_MODEL": "m", **PATIENT}
        with started("--repo", str(shop), **settings) as (process, address):
            async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
                accept = {"Accept": "application/json, text/event-stream"}
                waiting = asyncio.create_task(client.post("/mcp", json=message, headers=accept))
                await asked(model, 1)
                process.send_signal(signal.SIGTERM)
                told = await waiting
            assert '"result"' in told.text
            assert await asyncio.to_thread(process.wait, END_TIMEOUT_S) == 0


async def asked(model: ModelServer, times: int) -> None:
    async with asyncio.timeout(60):
        while len(model.bodies("/v1/chat/completions")) < times:  # noqa: ASYNC110  in a thread
            await asyncio.sleep(0.01)
