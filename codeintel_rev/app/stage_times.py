"""How long each stage of a search takes: decorators around the parts that it is made of."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from codeintel_rev.ports import (
    ChunkCatalog,
    ChunkTexts,
    Embedder,
    LexicalIndex,
    SparseChannel,
    VectorIndex,
)
from codeintel_rev.retrieval.channels import Channels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codeintel_rev.types import ChunkHead, ChunkRecord


class StageTimes:
    """Milliseconds by stage of one search; the repositories that it visits add up."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - started) * 1000
            self.ms[stage] = self.ms.get(stage, 0.0) + spent

    def with_rest(self, total_ms: float) -> dict[str, float]:
        """Return the stages; what none of them took of the whole was fusing and ranking."""
        return self.ms | {"fusion": max(0.0, total_ms - sum(self.ms.values()))}

    def channels(self, channels: Channels) -> Channels:
        """Return the channels with their calls measured."""
        return channels._replace(
            vectors=_TimedVectors(channels.vectors, self),
            words=_TimedWords(channels.words, self),
            catalog=_TimedCatalog(channels.catalog, self),
            texts=_TimedTexts(channels.texts, self),
            sparse=channels.sparse and _TimedSparse(channels.sparse, self),
        )

    def embedder(self, embedder: Embedder) -> Embedder:
        """Return the embedder with the embedding of queries measured."""
        return _TimedEmbedder(embedder, self)


class _TimedVectors:
    def __init__(self, inner: VectorIndex, times: StageTimes) -> None:
        self._inner, self._times = inner, times

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        with self._times.measured("faiss"):
            return self._inner.search(query, k, mask)

    def similarities(
        self, query: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        with self._times.measured("faiss"):
            return self._inner.similarities(query, rows)


class _TimedWords:
    def __init__(self, inner: LexicalIndex, times: StageTimes) -> None:
        self._inner, self._times = inner, times

    def search(
        self,
        terms: Sequence[str],
        k: int,
        mask: NDArray[np.bool_],
        title: Collection[str] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        with self._times.measured("bm25"):
            return self._inner.search(terms, k, mask, title)

    def coverage(
        self, terms: Sequence[str], mask: NDArray[np.bool_], title: Collection[str] | None = None
    ) -> float:
        with self._times.measured("bm25"):
            return self._inner.coverage(terms, mask, title)


class _TimedSparse:
    def __init__(self, inner: SparseChannel, times: StageTimes) -> None:
        self._inner, self._times = inner, times

    def search(
        self, query: str, k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        with self._times.measured("splade"):
            return self._inner.search(query, k, mask)


class _TimedCatalog:
    def __init__(self, inner: ChunkCatalog, times: StageTimes) -> None:
        self._inner, self._times = inner, times

    def heads(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        with self._times.measured("hydration"):
            return self._inner.heads(rows)

    def definitions(self, name: str, limit: int) -> list[int]:
        with self._times.measured("bm25"):
            return self._inner.definitions(name, limit)

    def of_kinds(self, name: str, kinds: Collection[str], limit: int) -> list[int]:
        with self._times.measured("bm25"):
            return self._inner.of_kinds(name, kinds, limit)

    def hydrate(self, rows: Sequence[int]) -> list[ChunkRecord]:
        with self._times.measured("hydration"):
            return self._inner.hydrate(rows)


class _TimedTexts:
    def __init__(self, inner: ChunkTexts, times: StageTimes) -> None:
        self._inner, self._times = inner, times

    def texts(self, rows: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        with self._times.measured("hydration"):
            return iter(list(self._inner.texts(rows)))


class _TimedEmbedder:
    def __init__(self, inner: Embedder, times: StageTimes) -> None:
        self._inner, self._times = inner, times

    @property
    def dim(self) -> int:
        return self._inner.dim

    def embed_query(self, text: str) -> NDArray[np.float32]:
        with self._times.measured("embed"):
            return self._inner.embed_query(text)

    def embed_documents(self, documents: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
        return self._inner.embed_documents(documents)
