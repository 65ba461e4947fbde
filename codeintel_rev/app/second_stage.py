"""A slower model over the best hits of a search, its vectors filled in behind the answers."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Condition, Lock, Thread
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import StorageFailed
from codeintel_rev.io.embedding_cache import EmbeddingCache, key_of
from codeintel_rev.io.minilm_embedder import MiniLMEmbedder
from codeintel_rev.retrieval.second_stage import reordered
from codeintel_rev.types import SearchHit

_log = logging.getLogger(__name__)

FOLDER = "embeddings"
"""Below the data directory: vectors that are dear to make."""

LATE = "rerank_timeout"
"""Told when some of the hits were not compared, as their vectors are not there yet."""

_WAITING = 5_000
"""Chunks that may wait for their vectors; of more, those that were seen first are forgotten."""

_BATCH = 4
"""Texts embedded at once: whoever closes waits no longer than for these."""


class SlowEmbedder(Protocol):
    """Embeds queries and code, at some milliseconds a text."""

    fingerprint: str

    @property
    def dim(self) -> int:
        """Length of every vector."""
        ...

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
        self,
        data_dir: Path,
        embedder: SlowEmbedder,
        *,
        hits: int,
        budget_ms: float,
        cache_mb: int = 1024,
    ) -> None:
        """Keep vectors in ``data_dir``, or for the life of the process where that is not possible."""
        self.hits = hits
        self._embedder = embedder
        self._budget_s = budget_ms / 1000
        self._elsewhere: TemporaryDirectory[str] | None = None
        self._lock = Lock()
        self._cache = self._open(data_dir, cache_mb << 20)
        self._waiting: deque[SearchHit] = deque(maxlen=_WAITING)
        self._changed = Condition()
        self._closed = False
        self._is_busy = False
        self._thread: Thread | None = None

    @classmethod
    def of(cls, data_dir: Path, settings: Settings) -> SecondStage:
        """Return the stage that is configured; raises what ``MiniLMEmbedder`` raises."""
        return cls(
            data_dir,
            MiniLMEmbedder(),
            hits=settings.search.second_stage_hits,
            budget_ms=settings.search.second_stage_ms,
            cache_mb=settings.embedding.cache_mb,
        )

    def order(self, query: str, hits: Sequence[SearchHit]) -> tuple[list[SearchHit], list[str]]:
        """Return the hits in their new order, and what is to be told of it."""
        deadline = time.monotonic() + self._budget_s
        vectors = self._known(hits)
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
        with self._lock:
            self._cache.close()
        if self._elsewhere is not None:
            self._elsewhere.cleanup()

    def _open(self, data_dir: Path, limit_bytes: int) -> EmbeddingCache:
        name = f"{FOLDER}/{self._embedder.fingerprint[:16]}.sqlite"
        try:
            return EmbeddingCache(data_dir / name, self._embedder.dim, limit_bytes)
        except (OSError, StorageFailed):
            self._elsewhere = TemporaryDirectory()
            file = Path(self._elsewhere.name, name)
            return EmbeddingCache(file, self._embedder.dim, limit_bytes)

    def _known(self, hits: Sequence[SearchHit]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors that are kept of ``hits``, by id."""
        keys = {hit.doc_id: key_of(hit.code) for hit in hits}
        with self._lock:
            found = self._cache.get(list(keys.values()))
        return {
            doc_id: found[key].astype(np.float32) for doc_id, key in keys.items() if key in found
        }

    def _embed(self, hits: Sequence[SearchHit]) -> dict[int, NDArray[np.float32]]:
        made = self._embedder.embed_documents([(hit.uri, hit.symbol, hit.code) for hit in hits])
        vectors = dict(zip(hits, made, strict=True))
        kept = {key_of(hit.code): vector.astype(np.float16) for hit, vector in vectors.items()}
        with self._lock:
            self._cache.put(kept)
        return {hit.doc_id: vector for hit, vector in vectors.items()}

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
            try:
                known = self._known(batch)
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
