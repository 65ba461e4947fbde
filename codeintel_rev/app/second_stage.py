"""A slower model over the best hits of a search, its vectors filled in behind the answers."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Thread
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.vector_cache import VectorCache
from codeintel_rev.retrieval.second_stage import reordered
from codeintel_rev.types import SearchHit

_log = logging.getLogger(__name__)

LATE = "rerank_timeout"
"""Told when some of the hits were not compared, as their vectors are not there yet."""

_WAITING = 5_000
"""Chunks that may wait for their vectors; of more, those that were seen first are forgotten."""

_BATCH = 4
"""Texts embedded at once: whoever closes waits no longer than for these."""


class SlowEmbedder(Protocol):
    """Embeds queries and code, at some milliseconds a text."""

    fingerprint: str

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a query."""
        ...

    def embed_documents(self, documents: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
        """Return the unit vectors of (path, symbol, text) triples."""
        ...


class SecondStage:
    """Orders hits anew by vectors that it keeps; safe to share between threads.

    A search waits ``budget_ms`` at most for vectors that are not there yet. A thread computes the
    rest, so that the next such search has them.
    """

    def __init__(
        self, data_dir: Path, embedder: SlowEmbedder, *, hits: int, budget_ms: float
    ) -> None:
        self.hits = hits
        self._embedder = embedder
        self._budget_s = budget_ms / 1000
        self._cache = VectorCache(data_dir / "second-stage" / f"{embedder.fingerprint[:16]}.sqlite")
        self._waiting: deque[SearchHit] = deque(maxlen=_WAITING)
        self._changed = Condition()
        self._closed = False
        self._is_busy = False
        self._thread: Thread | None = None

    def order(self, query: str, hits: Sequence[SearchHit]) -> tuple[list[SearchHit], list[str]]:
        """Return the hits in their new order, and what is to be told of it."""
        deadline = time.monotonic() + self._budget_s
        vectors = self._cache.get([hit.doc_id for hit in hits])
        missing = [hit for hit in hits if hit.doc_id not in vectors]
        while missing and time.monotonic() < deadline:
            batch, missing = missing[:_BATCH], missing[_BATCH:]
            vectors |= self._embed(batch)
        self._fill(missing)
        if not vectors:
            return list(hits), [LATE] if missing else []
        asked = self._embedder.embed_query(query)
        cosines = {key: float(vector @ asked) for key, vector in vectors.items()}
        return reordered(hits, cosines), [LATE] if missing else []

    def wait(self, timeout_s: float) -> bool:
        """Return whether every vector that was missed is there, within a time."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._is_busy), timeout_s)

    def close(self) -> None:
        """Stop filling in; what is not there yet is asked for again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._cache.close()

    def _embed(self, hits: Sequence[SearchHit]) -> dict[int, NDArray[np.float32]]:
        made = self._embedder.embed_documents([(hit.uri, hit.symbol, hit.code) for hit in hits])
        vectors = {hit.doc_id: vector for hit, vector in zip(hits, made, strict=True)}
        self._cache.put(vectors)
        return vectors

    def _fill(self, hits: Sequence[SearchHit]) -> None:
        with self._changed:
            if not hits or self._closed:
                return
            self._waiting.extend(hits)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="second stage", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        while batch := self._next_batch():
            known = self._cache.get([hit.doc_id for hit in batch])
            try:
                self._embed([hit for hit in batch if hit.doc_id not in known])
            except Exception:  # a thread that ends would leave all later ones waiting
                _log.exception("%d chunks stay without a vector", len(batch))

    def _next_batch(self) -> list[SearchHit]:
        """Wait for chunks without a vector; returns none when the stage is closed."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return []
            self._is_busy = True
            return [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
