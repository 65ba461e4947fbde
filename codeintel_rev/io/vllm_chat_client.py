"""Chat completions as a stream, and scores of candidates, from vLLM or what speaks its protocol."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from codeintel_rev.errors import CodeIntelError, InvalidArgument, Unavailable
from codeintel_rev.io.sse import ServerEvent, SSEParser
from codeintel_rev.io.vllm_score_client import VLLMScoreClient
from codeintel_rev.io.vllm_transport import (
    ModelClient,
    Timeouts,
    VLLMTransport,
    context_length,
)
from codeintel_rev.ports import Completion
from codeintel_rev.text.json_faults import NOT_JSON

__all__ = ["Completion", "VLLMChatClient", "VLLMScoreClient"]

CHAT_PATH = "/v1/chat/completions"
_DONE = "[DONE]"

_SIZE_HOLDS_S = 300.0
"""How long what a server told of its model's context is believed; it may be started anew."""

log = logging.getLogger(__name__)


class VLLMChatClient(ModelClient):
    """Streams chat completions (``ChatModel``); safe for concurrent use on one event loop."""

    def __init__(
        self,
        base_url: str,
        model_id: str,
        timeout: float = 30.0,
        *,
        api_key: str = "",
        transport: VLLMTransport | None = None,
    ) -> None:
        """Speak to ``model_id`` at ``base_url``; ``timeout`` is the longest silence in seconds."""
        timeouts = Timeouts(read=timeout)
        super().__init__(model_id, transport or VLLMTransport(base_url, api_key, timeouts))
        self._has_usage = True
        self._size: int | None = None
        self._size_until = 0.0
        self._asking = asyncio.Lock()

    async def context_tokens(self) -> int | None:
        """Return how many tokens prompt and completion may have together, ``None`` = not told.

        The server is asked now and then, by one caller for all.
        """
        async with self._asking:
            if time.monotonic() >= self._size_until:
                try:
                    self._size = context_length(await self._models(), self.model_id)
                except CodeIntelError as error:
                    log.info("the context of %s is not known: %s", self.model_id, error)
                finally:  # a server too slow for who asked is not asked by the next one at once
                    self._size_until = time.monotonic() + _SIZE_HOLDS_S
            return self._size

    async def stream_completion(
        self,
        messages: list[dict[str, str]],
        max_tokens: int = 500,
        temperature: float = 0.2,
        stop: list[str] | None = None,
        told: Completion | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the text of a completion piece by piece; ``told`` is filled on the way.

        Closing the generator closes the request, and the server stops writing.

        Raises:
            NotFound: the server has no such model.
            InvalidArgument: the server refuses the messages, for being too long for instance.
            DeadlineExceeded: the server was silent for too long.
            Unavailable: it cannot be reached, or what it streams is no completion.

        """
        told = told if told is not None else Completion()
        body = {
            "model": self.model_id,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        if stop:
            body["stop"] = stop
        async with aclosing(self._deltas(body, told)) as deltas:
            async for text in deltas:
                yield text

    async def _deltas(self, body: dict[str, Any], told: Completion) -> AsyncGenerator[str, None]:
        if not self._has_usage:
            async with aclosing(self._streamed(body, told)) as texts:
                async for text in texts:
                    yield text
            return
        asking = {**body, "stream_options": {"include_usage": True}}
        try:
            async with aclosing(self._streamed(asking, told)) as texts:
                async for text in texts:
                    yield text
        except InvalidArgument as error:
            if "stream_options" not in error.message:
                raise
            self._has_usage = False  # an older server; it has not answered yet
            async with aclosing(self._streamed(body, told)) as texts:
                async for text in texts:
                    yield text

    async def _streamed(self, body: dict[str, Any], told: Completion) -> AsyncGenerator[str, None]:
        async with self._transport.stream(CHAT_PATH, body) as chunks:
            async for event in _events(chunks):
                if event.data == _DONE:
                    return
                for text in _texts(event, told):
                    yield text
        if told.finish_reason is None:
            raise Unavailable(
                f"{self._transport.base_url} broke its completion off",
                hint="see the log of the model server",
            )


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[ServerEvent]:
    parser = SSEParser()
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event
    for event in parser.close():
        yield event


def _texts(event: ServerEvent, told: Completion) -> list[str]:
    """Return the text in one event and note what else it tells."""
    chunk = _decoded(event.data)
    if chunk.get("error") or event.name == "error":
        raise Unavailable(
            f"the model server failed in its stream: {_reason(chunk)}",
            hint="see the log of the model server",
        )
    usage = chunk.get("usage")
    if isinstance(usage, Mapping):
        told.tokens_in = _count(usage.get("prompt_tokens"), told.tokens_in)
        told.tokens_out = _count(usage.get("completion_tokens"), told.tokens_out)
    found = []
    for choice in _mappings(chunk.get("choices")):
        reason = choice.get("finish_reason")
        if reason:
            told.finish_reason = reason if isinstance(reason, str) else "stop"
        delta = choice.get("delta")
        delta = delta if isinstance(delta, Mapping) else {}
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        told.reasoning += thought if isinstance(thought, str) else ""
        content = delta.get("content")
        if isinstance(content, str) and content:
            found.append(content)
    return found


def _count(value: Any, known: int | None) -> int | None:
    """Return a number of tokens; a server may send anything in its place."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31
    return value if is_count else known


def _mappings(values: Any) -> Sequence[Mapping[str, Any]]:
    return [v for v in values if isinstance(v, Mapping)] if isinstance(values, list) else []


def _decoded(data: str) -> Mapping[str, Any]:
    try:
        chunk = msgspec.json.decode(data)
    except NOT_JSON:
        chunk = None
    if not isinstance(chunk, Mapping):
        raise Unavailable(
            f"the model server streams what is no completion: {data[:100]!r}",
            hint="check that the address is that of a chat server",
        )
    return chunk


def _reason(chunk: Mapping[str, Any]) -> str:
    error = chunk.get("error", chunk)
    said = error.get("message", error) if isinstance(error, Mapping) else error
    return " ".join(str(said).split())[:300]
