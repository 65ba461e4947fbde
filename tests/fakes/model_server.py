"""A model server of a few lines on a real socket: it stands for vLLM, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import uvicorn

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

DIM = 8


def chunk(content: str, finish_reason: str | None = None, **delta: str) -> bytes:
    """One event of a completion in the shape in which vLLM sends it."""
    choice = {
        "index": 0,
        "delta": {**delta, "content": content},
        "logprobs": None,
        "finish_reason": finish_reason,
    }
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


def event(document: Any) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()


USAGE = event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
DONE = b"data: [DONE]\n\n"
HELLO = [
    chunk("", role="assistant"),
    chunk("Hel"),
    chunk("lo"),
    chunk("", finish_reason="stop"),
    USAGE,
    DONE,
]


class ModelServer:
    """What the server does, to be changed by a test, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.stream: Sequence[bytes] = HELLO
        self.stall_after: int | None = None
        """So many events are sent; then nothing more comes."""
        self.cancelled = threading.Event()
        """Set when a client goes away from a stream that stalls."""
        self.delay_s = 0.0
        """How long a reply is held back."""
        self.absent: set[str] = set()
        self.replies: dict[str, list[tuple[int, Any]]] = {}
        """Status and body to give for a path instead of its own, one a request."""
        self.dim = DIM
        self.models: Sequence[str] = ["m"]
        self.score: Callable[[str, str], float] = lambda query, text: 1.0 / (1 + len(text))

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for asked, body, _ in self.asked if asked == path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["path"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        document = json.loads(body) if body else {}
        self.asked.append((path, document, headers))
        await asyncio.sleep(self.delay_s)
        if self.replies.get(path):
            status, reply = self.replies[path].pop(0)
            await _reply(send, status, reply)
        elif path in self.absent:
            await _reply(send, 404, {"detail": "Not Found"})
        elif path == "/v1/chat/completions":
            await self._stream(receive, send)
        else:
            await _reply(send, 200, self._document(path, document))

    def _document(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": name} for name in self.models]}
        if path == "/v1/embeddings":
            packed = body.get("encoding_format") == "base64"
            rows = [
                {"index": at, "object": "embedding", "embedding": self._vector(text, packed)}
                for at, text in enumerate(body["input"])
            ]
            return {"object": "list", "data": rows[::-1], "model": body["model"]}
        if path == "/v1/rerank":
            scored = [
                {"index": at, "document": {"text": text}, "relevance_score": score}
                for at, text in enumerate(body["documents"])
                for score in [self.score(body["query"], text)]
            ]
            return {"results": sorted(scored, key=lambda row: -row["relevance_score"])}
        if path == "/v1/score":
            texts = body["text_2"]
            scores = [self.score(body["text_1"], text) for text in texts]
            return {"data": [{"index": at, "score": score} for at, score in enumerate(scores)]}
        assert path == "/v1/scores"
        return {"scores": [self.score(body["query"], text) for text in body["candidates"]]}

    def _vector(self, text: str, packed: bool) -> Any:
        numbers = np.frombuffer(text.encode().ljust(self.dim, b" ")[: self.dim], dtype=np.uint8)
        vector = (numbers / np.linalg.norm(numbers)).astype("<f4")
        return base64.b64encode(vector.tobytes()).decode() if packed else vector.tolist()

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for data in self._pieces(receive):
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _pieces(self, receive: Receive) -> AsyncIterator[bytes]:
        for sent, data in enumerate(self.stream):
            if sent == self.stall_after:
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.cancelled.set()
                return
            yield data
            await asyncio.sleep(0)


async def _reply(send: Send, status: int, document: Any) -> None:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


@contextmanager
def serving(app: ModelServer, port: int = 0) -> Iterator[ModelServer]:
    """Serve ``app`` on the loopback, on a free port unless one is named, until the block ends."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        app.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield app
        finally:
            server.should_exit = True
            thread.join(10)
