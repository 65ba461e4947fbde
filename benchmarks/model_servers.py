"""What our clients of model servers cost beside the bare protocol, and the pipeline beside them.

    python benchmarks/model_servers.py --embeddings URL --chat URL [--folder codeintel_rev]
        [--texts 256] [--rounds 20]
    PYTHONPATH=. python benchmarks/model_servers.py --recorded [--folder codeintel_rev] [--rounds 20]

Prints one JSON document. *embeddings*: texts a second that the server gives to prepared requests over
bare connections, its ceiling, and to ``VLLMClient``, in turns. *completion*: milliseconds until the
first text, and tokens a second after it, of the same short completion over a bare connection and
through ``VLLMChatClient``, in turns. *answer*: milliseconds that an answer takes until its first token
beyond what the chat server takes for it: retrieval, prompt, and everything around, by the clock and of processor time. With
``--recorded`` only the last is measured, with a server that replays a completion: it takes no
processor time from what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from machine import machine

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import load_settings
from codeintel_rev.io.remote_embedder import document_text
from codeintel_rev.io.vllm_chat_client import CHAT_PATH, VLLMChatClient
from codeintel_rev.io.vllm_client import CONCURRENCY, PATH, VLLMClient, batches

EMBEDDING_MODEL, DIM = "minilm", 384
CHAT_MODEL = "smollm2"
TURNS = 3
MESSAGES = [{"role": "user", "content": "Say hello in one sentence."}]
TOKENS = 32
QUESTIONS = (
    "where are the ranks of several channels fused?",
    "how is a citation checked?",
    "where is the deadline of an answer fixed?",
    "what happens when a model server is away?",
    "how are files cut into chunks?",
)

Timing = tuple[float, float]
"""Milliseconds until the first text, and tokens a second after it."""


def connected(url: str) -> HTTPConnection:
    place = urlsplit(url)
    assert place.hostname is not None
    return HTTPConnection(place.hostname, place.port, timeout=300)


def bare_embeddings(url: str, texts: Sequence[str]) -> float:
    """Return texts a second over bare connections, as many as our client has requests under way."""
    bodies = [
        json.dumps(
            {
                "model": EMBEDDING_MODEL,
                "input": [texts[at] for at in batch],
                "truncate_prompt_tokens": -1,
                "encoding_format": "base64",
            }
        ).encode()
        for batch in batches(texts)
    ]

    def posted(body: bytes) -> None:
        connection = connected(url)
        connection.request("POST", PATH, body, {"content-type": "application/json"})
        reply = connection.getresponse()
        assert reply.status == 200, reply.read()
        reply.read()
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(posted, bodies))
    return len(texts) / (time.perf_counter() - started)


def our_embeddings(url: str, texts: Sequence[str]) -> float:
    """Return texts a second through our client."""

    async def embedded() -> None:
        async with VLLMClient(url, EMBEDDING_MODEL, DIM, 300.0, max_tokens=-1) as client:
            await client.embed_documents(texts)

    started = time.perf_counter()
    asyncio.run(embedded())
    return len(texts) / (time.perf_counter() - started)


def bare_completion(url: str) -> Timing:
    """Stream a completion over a bare connection."""
    body = {
        "model": CHAT_MODEL,
        "messages": MESSAGES,
        "max_tokens": TOKENS,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    connection = connected(url)
    connection.connect()
    started = time.perf_counter()
    headers = {"content-type": "application/json"}
    connection.request("POST", CHAT_PATH, json.dumps(body).encode(), headers)
    reply = connection.getresponse()
    moments = []
    for line in reply:
        if line.startswith(b"data: {"):
            chunk = json.loads(line[6:])
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                moments.append(time.perf_counter())
    connection.close()
    return timing(started, moments)


async def our_completion(client: VLLMChatClient) -> Timing:
    """Stream the same completion through our client, which keeps its connection."""
    started = time.perf_counter()
    stream = client.stream_completion(MESSAGES, max_tokens=TOKENS, temperature=0.0)
    return timing(started, [time.perf_counter() async for _ in stream])


def timing(started: float, moments: Sequence[float]) -> Timing:
    rest = moments[-1] - moments[0]
    return (moments[0] - started) * 1000, (len(moments) - 1) / rest


def completions(url: str, rounds: int) -> dict[str, list[Timing]]:
    """Measure both ways in turns."""
    found: dict[str, list[Timing]] = {"bare": [], "client": []}
    with asyncio.Runner() as runner:
        client = VLLMChatClient(url, CHAT_MODEL, timeout=300.0)
        for turn in range(rounds + 1):
            pair = bare_completion(url), runner.run(our_completion(client))
            if turn:  # the first warms up
                found["bare"].append(pair[0])
                found["client"].append(pair[1])
        runner.run(client.close())
    return found


def answers(url: str, folder: Path, rounds: int) -> dict[str, object]:
    """Measure what answers take beyond their chat server, until the first token."""
    settings = load_settings(
        {
            "VLLM_CHAT_MODEL": CHAT_MODEL,
            "VLLM_CHAT_BASE_URL": url,
            "ANSWER_MAX_INPUT_TOKENS": "600",
            "ANSWER_MAX_OUTPUT_TOKENS": "4",
            "ANSWER_SYNTHESIS_TIMEOUT_MS": "300000",
        }
    )
    spent, processor = [], []
    with tempfile.TemporaryDirectory() as data_dir:
        index_repositories([folder], data_dir=Path(data_dir), settings=settings)
        settings = replace(settings, data_dir=Path(data_dir))
        with open_index(settings=settings, refresh=False) as index:
            for turn in range(rounds + len(QUESTIONS)):
                started, first = time.perf_counter(), 0.0
                worked = time.process_time()
                for event in index.ask_events(QUESTIONS[turn % len(QUESTIONS)]):
                    if event.content and not first:
                        first = time.perf_counter()
                        worked = time.process_time() - worked
                    if event.trace is not None and turn >= len(QUESTIONS):
                        assert event.trace["synthesizer"] == "chat", event.trace
                        spent.append((first - started) * 1000 - event.trace["ttft_ms"])
                        processor.append(worked * 1000)
    return {"beyond_the_server_ms": summary(spent), "processor_ms": summary(processor)}


def chunk_texts(folder: Path, count: int) -> list[str]:
    """Return texts of a folder as they are embedded."""
    with tempfile.TemporaryDirectory() as data_dir:
        index_repositories([folder], data_dir=Path(data_dir), settings=load_settings({}))
        with open_index(data_dir=Path(data_dir), refresh=False) as index:
            (opened,) = index.opened
            with opened.view() as view:
                assert view is not None
                records = view.catalog.hydrate(list(range(count)))
    return [document_text(r.uri, r.symbol, r.content) for r in records]


def summary(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings")
    parser.add_argument("--chat")
    parser.add_argument("--recorded", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("codeintel_rev"))
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    if not options.recorded and not (options.embeddings and options.chat):
        parser.error("name both servers, or --recorded")
    found = recorded(options) if options.recorded else served(options)
    print(json.dumps({"machine": machine(), **found}, indent=1))


def recorded(options: argparse.Namespace) -> dict[str, object]:
    """Measure beside a server that replays what vLLM once said."""
    from tests.fakes.model_server import ModelServer, serving

    with serving(ModelServer()) as server:
        found = answers(server.url, options.folder, options.rounds)
    return {"answer": {"server": "recorded", **found}}


def served(options: argparse.Namespace) -> dict[str, object]:
    """Measure beside real servers."""
    texts = chunk_texts(options.folder, options.texts)
    ways: dict[str, Callable[[str, Sequence[str]], float]] = {
        "bare": bare_embeddings,
        "client": our_embeddings,
    }
    bare_embeddings(options.embeddings, texts[:32])
    speeds = [
        {name: way(options.embeddings, texts) for name, way in ways.items()} for _ in range(TURNS)
    ]
    found = completions(options.chat, options.rounds)
    return {
        "embeddings": {
            "texts": len(texts),
            **{name: round(median(turn[name] for turn in speeds), 1) for name in ways},
            "share_of_ceiling": round(median(t["client"] / t["bare"] for t in speeds), 3),
        },
        "completion": {
            "rounds": options.rounds,
            "first_text_ms": {name: summary([t[0] for t in each]) for name, each in found.items()},
            "tokens_per_s": {name: summary([t[1] for t in each]) for name, each in found.items()},
        },
        "answer": answers(options.chat, options.folder, options.rounds),
    }


if __name__ == "__main__":
    main()
