"""The plan's checks of the clients of model servers, as it has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codeintel_rev.io.vllm_chat_client import VLLMChatClient, VLLMScoreClient
from tests.fakes.model_server import ModelServer, serving


@pytest.fixture
def mock_vllm_server() -> Iterator[str]:
    with serving(ModelServer()) as server:
        yield server.url


@pytest.mark.asyncio
async def test_vllm_chat_streaming(mock_vllm_server: str) -> None:
    client = VLLMChatClient(mock_vllm_server, "llama-3.1-8b")

    tokens = []
    async for token in client.stream_completion(
        messages=[{"role": "user", "content": "Hi"}], max_tokens=50
    ):
        tokens.append(token)  # noqa: PERF401

    assert len(tokens) > 0
    assert "".join(tokens)  # Non-empty response
    await client.close()


@pytest.mark.asyncio
async def test_vllm_scores(mock_vllm_server: str) -> None:
    async with VLLMScoreClient(mock_vllm_server, "m") as client:
        scores = await client.rerank("query", ["one", "another"])
    assert len(scores) == 2
    assert all(0 <= score <= 1 for score in scores)
