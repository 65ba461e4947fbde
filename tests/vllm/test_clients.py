"""The clients of model servers against a real vLLM."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from codeintel_rev.errors import InvalidArgument, NotFound, SettingsError
from codeintel_rev.io.vllm_chat_client import Completion, VLLMChatClient, VLLMScoreClient
from codeintel_rev.io.vllm_client import VLLMClient
from tests.fakes.model_server import HELLO, ModelServer, serving
from tests.vllm.servers import Served

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

DIM = 384
QUESTION = [{"role": "user", "content": "Say hello in one sentence."}]


def metric(served: Served, name: str) -> float:
    """Return the sum of one of the server's own metrics."""
    with urlopen(f"{served.url}/metrics", timeout=30) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def posted(url: str, body: dict[str, Any]) -> bytes:
    headers = {"content-type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=60) as reply:
        data: bytes = reply.read()
    return data


async def test_embeddings_are_unit_vectors_that_know_what_is_alike(minilm: Served) -> None:
    async with VLLMClient(minilm.url, "minilm", DIM, max_tokens=256) as client:
        texts = ["how to read a file in python", "def read_file(path): return open(path).read()"]
        vectors = await client.embed_documents([*texts, "the weather is nice", "x " * 2000])
        again = await client.embed_query(texts[0])
    assert vectors.shape == (4, DIM)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert vectors[0] @ again > 0.999


async def test_a_wrong_dimension_or_model_is_told(minilm: Served) -> None:
    async with VLLMClient(minilm.url, "minilm", 512) as client:
        with pytest.raises(SettingsError, match="vectors of 384, 512 were configured"):
            await client.embed_query("x")
    async with VLLMClient(minilm.url, "other", DIM) as client:
        with pytest.raises(NotFound, match="other"):
            await client.embed_query("x")
    async with VLLMClient(minilm.url, "minilm", DIM) as client:
        with pytest.raises(InvalidArgument, match="256 tokens"):
            await client.embed_query("x " * 3000)


async def test_scores_order_candidates(minilm: Served) -> None:
    candidates = ["paint a wall"] * 40 + ["open a path and read the file"] + ["paint a door"] * 40
    async with VLLMScoreClient(minilm.url, "minilm", timeout=60.0) as client:
        scores = await client.rerank("read a file", candidates)
    assert len(scores) == len(candidates)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert int(np.argmax(scores)) == 40


async def test_a_completion_streams_with_its_usage(smollm2: Served) -> None:
    told = Completion()
    async with VLLMChatClient(f"{smollm2.url}/v1", "smollm2", timeout=120.0) as client:
        stream = client.stream_completion(QUESTION, max_tokens=40, told=told)
        pieces = [text async for text in stream]
        assert await client.context_tokens() == 4096
    assert len(pieces) > 1
    assert "".join(pieces).strip()
    assert told.tokens_in
    assert told.tokens_out
    assert told.finish_reason in ("stop", "length")


async def test_four_clients_stream_at_once(smollm2: Served) -> None:
    async def answer() -> str:
        async with VLLMChatClient(smollm2.url, "smollm2", timeout=120.0) as client:
            stream = client.stream_completion(QUESTION, max_tokens=16)
            return "".join([text async for text in stream])

    assert all(await asyncio.gather(*(answer() for _ in range(4))))


async def test_going_away_stops_the_model(smollm2: Served) -> None:
    async with VLLMChatClient(smollm2.url, "smollm2", timeout=120.0) as client:
        story = [{"role": "user", "content": "Tell a very long story about a whale."}]
        stream = client.stream_completion(story, max_tokens=3000)
        assert await anext(stream)
        await stream.aclose()
    for _ in range(600):
        if metric(smollm2, "vllm:num_requests_running") == 0:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the server goes on writing for nobody")


async def test_what_does_not_fit_is_refused_in_the_server_s_words(smollm2: Served) -> None:
    async with VLLMChatClient(smollm2.url, "smollm2", timeout=120.0) as client:
        with pytest.raises(InvalidArgument, match="4096 tokens"):
            await anext(client.stream_completion([{"role": "user", "content": "x " * 9000}]))
    async with VLLMChatClient(smollm2.url, "other") as client:
        with pytest.raises(NotFound, match="other"):
            await anext(client.stream_completion(QUESTION))


def test_the_server_of_the_other_tests_speaks_like_the_real_one(
    minilm: Served, smollm2: Served
) -> None:
    """What the fake sends is in the real replies, field for field."""
    with serving(ModelServer()) as fake:
        for path, body in (
            ("/v1/embeddings", {"model": "minilm", "input": ["a"], "encoding_format": "base64"}),
            ("/v1/rerank", {"model": "minilm", "query": "a", "documents": ["b"]}),
            ("/v1/score", {"model": "minilm", "text_1": "a", "text_2": ["b"]}),
        ):
            real = json.loads(posted(minilm.url + path, body))
            assert shape(json.loads(posted(fake.url + path, body))) <= shape(real)
    body = {"model": "smollm2", "messages": QUESTION, "max_tokens": 4, "stream": True}
    asked = {**body, "stream_options": {"include_usage": True}}
    real_events = posted(f"{smollm2.url}/v1/chat/completions", asked).split(b"\n\n")
    known = {part for event in real_events for part in event_shape(event)}
    assert {part for event in HELLO for part in event_shape(event.strip())} <= known


def event_shape(event: bytes) -> set[str]:
    data = event.removeprefix(b"data: ")
    return {data.decode()} if data in (b"[DONE]", b"") else shape(json.loads(data))


def shape(value: Any, at: str = "") -> set[str]:
    """Return the path and type of every value in a document."""
    if isinstance(value, dict):
        return {part for key, item in value.items() for part in shape(item, f"{at}.{key}")}
    if isinstance(value, list):
        return {part for item in value for part in shape(item, f"{at}[]")} or {f"{at}[]"}
    kind = "number" if isinstance(value, int | float) else type(value).__name__
    return {f"{at}: {kind}"}
