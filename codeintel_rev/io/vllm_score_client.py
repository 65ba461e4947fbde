"""Scores of candidates against a query, from whichever endpoint a model server has for it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from codeintel_rev.errors import CodeIntelError, NotFound, Unavailable
from codeintel_rev.io.vllm_transport import ModelClient, Timeouts, VLLMTransport

log = logging.getLogger(__name__)

BATCH = 32
"""Candidates of one request."""
CONCURRENCY = 4
"""Requests of one call that are under way at a time."""
CACHED = 4096
"""Scores that are kept."""


class _Endpoint(NamedTuple):
    path: str
    body: Callable[[str, Sequence[str]], dict[str, Any]]
    rows: Callable[[Any], Any]
    """Finds the scores in a reply: mappings with an index, or plain numbers in order."""
    field: str


def _get(name: str) -> Callable[[Any], Any]:
    return lambda reply: reply.get(name) if isinstance(reply, Mapping) else reply


_ENDPOINTS = (
    _Endpoint(
        "/v1/rerank",
        lambda query, texts: {"query": query, "documents": list(texts)},
        _get("results"),
        "relevance_score",
    ),
    _Endpoint(
        "/v1/score",
        lambda query, texts: {"text_1": query, "text_2": list(texts)},
        _get("data"),
        "score",
    ),
    _Endpoint(
        "/v1/scores",
        lambda query, texts: {"query": query, "candidates": list(texts)},
        _get("scores"),
        "score",
    ),
)


class VLLMScoreClient(ModelClient):
    """Scores candidates (``Reranker``); safe for concurrent use on one event loop."""

    def __init__(
        self,
        base_url: str,
        model_id: str,
        timeout: float = 5.0,
        *,
        api_key: str = "",
        max_tokens: int | None = None,
        transport: VLLMTransport | None = None,
    ) -> None:
        """Speak to ``model_id`` at ``base_url``; a text is cut to ``max_tokens`` by the server."""
        timeouts = Timeouts(read=timeout)
        super().__init__(model_id, transport or VLLMTransport(base_url, api_key, timeouts))
        self._max_tokens = max_tokens
        self._endpoint: _Endpoint | None = None
        self._is_logit = False
        self._cache: OrderedDict[bytes, float] = OrderedDict()
        """As the server gave them, the last used at the end."""

    async def rerank(self, query: str, candidates: Sequence[str]) -> list[float]:
        """Return one score in [0, 1] for each candidate, in the order given.

        Logits pass through a sigmoid. A batch that fails costs its own candidates: they get 0,
        behind what was scored.

        Raises:
            NotFound: the server has no endpoint that scores, or no such model.
            Unavailable: no batch was scored.

        """
        keys = [self._key(query, text) for text in candidates]
        scored = {at: self._cache[key] for at, key in enumerate(keys) if key in self._cache}
        missing = [at for at in range(len(keys)) if at not in scored]
        batches = [missing[at : at + BATCH] for at in range(0, len(missing), BATCH)]
        failures = await self._fill(query, candidates, batches, scored)
        if failures and not scored:
            raise failures[0]
        for at, score in scored.items():
            self._remember(keys[at], score)
        self._note_logits(scored.values())
        return [self._share(scored[at]) if at in scored else 0.0 for at in range(len(keys))]

    async def _fill(
        self,
        query: str,
        candidates: Sequence[str],
        batches: Sequence[Sequence[int]],
        scored: dict[int, float],
    ) -> list[CodeIntelError]:
        """Score the batches into ``scored``; returns what went wrong."""
        failures: list[CodeIntelError] = []
        gate = asyncio.Semaphore(CONCURRENCY)

        async def run(batch: Sequence[int]) -> None:
            async with gate:
                try:
                    scores = await self._scores(query, [candidates[at] for at in batch])
                except CodeIntelError as error:
                    log.warning("%d candidates were not scored: %s", len(batch), error.message)
                    failures.append(error)
                else:
                    scored.update(zip(batch, scores, strict=True))

        async with asyncio.TaskGroup() as group:
            for batch in batches:
                group.create_task(run(batch))
        return failures

    async def _scores(self, query: str, texts: Sequence[str]) -> list[float]:
        absent: NotFound | None = None
        for endpoint in _ENDPOINTS if self._endpoint is None else (self._endpoint,):
            body = {"model": self.model_id, **endpoint.body(query, texts)}
            if self._max_tokens is not None:
                body["truncate_prompt_tokens"] = self._max_tokens
            try:
                reply = await self._transport.post(endpoint.path, body)
            except NotFound as error:
                absent = absent or error
                continue
            self._endpoint = endpoint
            return self._in_order(endpoint, reply, len(texts))
        assert absent is not None
        raise absent

    def _in_order(self, endpoint: _Endpoint, reply: Any, count: int) -> list[float]:
        """Return the scores of a reply by the index that each names."""
        rows = endpoint.rows(reply)
        found: dict[int, float] = {}
        for at, row in enumerate(rows if isinstance(rows, list) else ()):
            index, score = at, row
            if isinstance(row, Mapping):
                index, score = row.get("index", at), row.get(endpoint.field, row.get("score"))
            if isinstance(index, int) and isinstance(score, int | float):
                found[index] = float(score)
        if sorted(found) != list(range(count)) or not all(map(math.isfinite, found.values())):
            raise Unavailable(
                f"{self._transport.base_url}{endpoint.path} gave no score for each of {count} texts",
                hint="check that the model of the server scores",
            )
        return [found[at] for at in range(count)]

    def _note_logits(self, scores: Iterable[float]) -> None:
        if not self._is_logit and any(not 0.0 <= score <= 1.0 for score in scores):
            self._is_logit = True
            log.info("%s gives logits; they pass through a sigmoid", self.model_id)

    def _share(self, score: float) -> float:
        return _sigmoid(score) if self._is_logit else score

    def _key(self, query: str, text: str) -> bytes:
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.model_id, query, text):
            data = part.encode("utf-8", "replace")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.digest()

    def _remember(self, key: bytes, score: float) -> None:
        self._cache[key] = score
        self._cache.move_to_end(key)
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value >= 0 else 1.0 - 1.0 / (1.0 + math.exp(value))
