"""Embeddings from vLLM, or from any server that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import InvalidArgument, SettingsError, Unavailable
from codeintel_rev.io.vllm_transport import ModelClient, Timeouts, VLLMTransport

PATH = "/v1/embeddings"
BATCH_TOKENS = 16_384
"""Tokens of one request, by estimate."""
BATCH_TEXTS = 256
"""Texts of one request."""
CONCURRENCY = 4
"""Requests that are under way at a time, which keeps a batching server busy."""
CACHED_QUERIES = 1024
_CHARS_A_TOKEN = 3.0
"""Of code; prose has about four."""
_UNIT_ERROR = 1e-3


class VLLMClient(ModelClient):
    """Embeds texts; safe for concurrent use on one event loop."""

    def __init__(
        self,
        base_url: str,
        model_id: str,
        vec_dim: int,
        timeout: float = 60.0,
        *,
        normalize: bool = True,
        query_prefix: str = "",
        document_prefix: str = "",
        max_tokens: int | None = None,
        shortened: bool = False,
        api_key: str = "",
        transport: VLLMTransport | None = None,
    ) -> None:
        """Speak to ``model_id`` at ``base_url``, whose vectors have the length ``vec_dim``.

        A text is cut to ``max_tokens`` by the server (-1 = to what its model takes), which else
        refuses what is too long. With ``shortened`` it is asked for vectors of that length, which
        is not the model's own.
        """
        timeouts = Timeouts(read=timeout)
        super().__init__(model_id, transport or VLLMTransport(base_url, api_key, timeouts))
        self.dim = vec_dim
        self._normalize = normalize
        self._prefixes = (query_prefix, document_prefix)
        self._more = _more(max_tokens, vec_dim if shortened else None)
        self._is_packed = True
        self._gate = asyncio.Semaphore(CONCURRENCY)
        self._queries: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._flights: dict[str, asyncio.Task[NDArray[np.float32]]] = {}

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, shape ``(dim,)``; raises as ``embed_documents`` does.

        Who asks for the same query meanwhile waits for the same request.
        """
        found = self._queries.get(text)
        if found is not None:
            self._queries.move_to_end(text)
            return found
        flight = self._flights.get(text)
        if flight is None:
            flight = self._flights[text] = asyncio.create_task(self._fly(text))
            flight.add_done_callback(lambda done: self._land(text, done))
        return await asyncio.shield(flight)  # one who gives up must not take it from the others

    async def _fly(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = (await self._embed([self._prefixes[0] + text]))[0]
        vector.flags.writeable = False
        return vector

    def _land(self, text: str, done: asyncio.Task[NDArray[np.float32]]) -> None:
        del self._flights[text]
        if done.cancelled() or done.exception() is not None:
            return
        self._queries[text] = done.result()
        if len(self._queries) > CACHED_QUERIES:
            self._queries.popitem(last=False)

    async def vector_length(self) -> int:
        """Return the length of the vectors that the server gives; raises as ``embed_documents``."""
        reply = await self._asked([self._prefixes[1] + "length"])
        rows = reply.get("data") if isinstance(reply, Mapping) else None
        first = rows[0] if isinstance(rows, list) and rows else None
        length = len(_unpacked(first.get("embedding"))) if isinstance(first, Mapping) else 0
        if not length:
            raise self._broken("gave no vector")
        return length

    async def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of ``texts`` in their order, shape ``(n, dim)``.

        Raises:
            SettingsError: the model's vectors have another length than was said.
            NotFound: the server has no such model.
            InvalidArgument: the server refuses a text, for being too long for instance.
            DeadlineExceeded: there was no reply in time.
            Unavailable: the server cannot be reached, or replies with something else.

        """
        return await self._embed([self._prefixes[1] + text for text in texts])

    async def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        out = np.empty((len(texts), self.dim), dtype=np.float32)

        async def fill(batch: range) -> None:
            async with self._gate:
                reply = await self._asked([texts[at] for at in batch])
            out[batch.start : batch.stop] = self._vectors(reply, len(batch))

        try:
            async with asyncio.TaskGroup() as group:
                for batch in batches(texts):
                    group.create_task(fill(batch))
        except BaseExceptionGroup as group_error:
            raise group_error.exceptions[0] from None
        return out

    async def _asked(self, texts: Sequence[str]) -> Any:
        body: dict[str, Any] = {"model": self.model_id, "input": texts, **self._more}
        if not self._is_packed:
            return await self._transport.post(PATH, body)
        try:
            return await self._transport.post(PATH, {**body, "encoding_format": "base64"})
        except InvalidArgument as error:
            if "encoding_format" not in error.message:
                raise
            self._is_packed = False
            return await self._transport.post(PATH, body)

    def _vectors(self, reply: Any, count: int) -> NDArray[np.float32]:
        """Return the vectors of a reply by the index that each names, checked."""
        rows = reply.get("data") if isinstance(reply, Mapping) else None
        found: dict[int, NDArray[np.float32]] = {}
        for at, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, Mapping) and isinstance(index := row.get("index", at), int):
                found[index] = _unpacked(row.get("embedding"))
        if set(found) != set(range(count)):
            raise self._broken(f"gave {len(found)} vectors for {count} texts")
        for vector in found.values():
            self._require_dim(len(vector))
        vectors = np.stack([found[at] for at in range(count)])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise self._broken("gave a vector that is zero or not finite")
        if self._normalize and np.abs(norms - 1.0).max() > _UNIT_ERROR:
            vectors /= norms
        return vectors

    def _require_dim(self, length: int) -> None:
        if length != self.dim:
            raise SettingsError(
                f"Dimension mismatch: {self.model_id} gives vectors of {length}, "
                f"{self.dim} were configured",
                hint=f"set EMBEDDING_VEC_DIM={length} and run `codeintel index`, or serve the model "
                "that the index was made with",
                value=str(length),
            )

    def _broken(self, what: str) -> Unavailable:
        return Unavailable(
            f"{self._transport.base_url}{PATH} {what}",
            hint=f"check that {self.model_id} is an embedding model and look at the server's log",
        )


def _more(max_tokens: int | None, dimensions: int | None) -> dict[str, int]:
    named = {"truncate_prompt_tokens": max_tokens, "dimensions": dimensions}
    return {name: value for name, value in named.items() if value is not None}


def batches(texts: Sequence[str]) -> Iterator[range]:
    """Yield runs of ``texts`` that fit in one request each, by their number and their tokens."""
    start, tokens = 0, 0.0
    for at, text in enumerate(texts):
        cost = len(text) / _CHARS_A_TOKEN + 1
        if at > start and (tokens + cost > BATCH_TOKENS or at - start == BATCH_TEXTS):
            yield range(start, at)
            start, tokens = at, 0.0
        tokens += cost
    if start < len(texts):
        yield range(start, len(texts))


def _unpacked(value: Any) -> NDArray[np.float32]:
    """Return a vector that came as base64 or as a list of numbers."""
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
        return np.asarray(value, dtype=np.float32).reshape(-1)
    except (ValueError, TypeError):
        return np.zeros(0, dtype=np.float32)
