"""From chunks to vectors, by the terms that were cut already or by a model that reads text."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.indexing.prepare import PreparedFile, TermEmbedder
from codeintel_rev.io.packing import unpack_text
from codeintel_rev.text.chunk_terms import document_terms

if TYPE_CHECKING:
    from concurrent.futures import Future

    from codeintel_rev.io.journal_compaction import StoredChunk

_AHEAD = 4
"""Batches that a model server has while others are cut and stored: it must not run dry."""


class TextEmbedder(Protocol):
    """An embedder that reads text and takes its time."""

    def submit(self, documents: Sequence[tuple[str, str, str]]) -> Future[NDArray[np.float32]]:
        """Begin to embed (path, symbol, text) triples; the result has one row each."""
        ...


ChunkEmbedder = TermEmbedder | TextEmbedder
"""Whoever makes the vectors of an index."""


def embedded(
    batches: Iterable[list[PreparedFile]], embedder: TextEmbedder
) -> Iterator[list[PreparedFile]]:
    """Yield the batches in their order with the vectors of their chunks.

    Raises what the embedder raises; what it was asked before goes on.
    """
    under_way: deque[tuple[list[PreparedFile], Future[NDArray[np.float32]]]] = deque()
    for batch in batches:
        under_way.append((batch, embedder.submit(_documents(batch))))
        if len(under_way) > _AHEAD:
            yield _with_vectors(*under_way.popleft())
    while under_way:
        yield _with_vectors(*under_way.popleft())


def embed_stored(chunks: Sequence[StoredChunk], embedder: ChunkEmbedder) -> NDArray[np.float16]:
    """Return the vectors of stored chunks, shape ``(n, dim)``."""
    documents = [(chunk.path, chunk.symbol, chunk.text) for chunk in chunks]
    if isinstance(embedder, TermEmbedder):
        vectors = embedder.embed_chunks([document_terms(*document) for document in documents])
    else:
        vectors = embedder.submit(documents).result()
    return vectors.astype(np.float16)


def _documents(batch: Sequence[PreparedFile]) -> list[tuple[str, str, str]]:
    return [
        (file.entry.path, chunk.symbol, unpack_text(chunk.content))
        for file in batch
        for chunk in file.chunks
    ]


def _with_vectors(
    batch: Sequence[PreparedFile], future: Future[NDArray[np.float32]]
) -> list[PreparedFile]:
    vectors = future.result().astype(np.float16)
    files, start = [], 0
    for file in batch:
        end = start + len(file.chunks)
        files.append(msgspec.structs.replace(file, vectors=vectors[start:end]))
        start = end
    return files
