"""The embedding model of a server behind the same port as the embedded one: it waits for replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.config.embedding import EmbeddingConfig
from codeintel_rev.errors import DeadlineExceeded, StorageFailed
from codeintel_rev.io.embedding_cache import EmbeddingCache, cache_file, key_of
from codeintel_rev.io.loop_thread import LoopThread
from codeintel_rev.io.vllm_client import VLLMClient

_CHARS_A_TOKEN = 3
"""Where a text is cut for a server that does not cut: of code, few tokens are shorter."""

T = TypeVar("T")

Document = tuple[str, str, str]
"""Path, symbol and text of a chunk."""


class _Session(NamedTuple):
    """What is open while the server is being asked."""

    loop: LoopThread
    client: VLLMClient


class RemoteEmbedder:
    """Embeds queries and chunks by asking a server (``Embedder``); safe to share between threads.

    Nothing is opened before the first question. Vectors of chunks are kept in a file as soon as
    they come, so that whoever was interrupted goes on from there.
    """

    def __init__(
        self,
        contract: EmbeddingConfig,
        open_client: Callable[[], VLLMClient],
        *,
        query_timeout_s: float = 1.0,
        cache: Path | None = None,
    ) -> None:
        """Ask as ``contract`` says, whose ``vec_dim`` is known; ``cache`` is a folder."""
        self.contract = contract
        self.model_id = contract.model_id
        self.dim = contract.vec_dim
        self.fingerprint = contract.fingerprint
        self._open_client = open_client
        self._query_timeout_s = query_timeout_s
        self._cache_file = cache and cache_file(cache, self.fingerprint)
        self._cache: EmbeddingCache | None = None
        self._session: _Session | None = None
        self._opening = Lock()

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, shape ``(dim,)``; the last ones are remembered.

        Raises ``DeadlineExceeded`` when it takes longer than a search waits, else as
        ``embed_documents`` does.
        """
        loop, client = self._open()
        question = client.embed_query(self._cut(_sendable(text)))
        return self._in_time(loop.submit(question), self._query_timeout_s)

    def embed_documents(self, documents: Sequence[Document]) -> NDArray[np.float32]:
        """Return the vectors of (path, symbol, text) triples, shape ``(n, dim)``.

        Raises ``SettingsError`` when the server's vectors have another length, ``NotFound`` when it
        does not serve the model, ``Unavailable`` or ``DeadlineExceeded`` when it does not answer.
        """
        return self.submit(documents).result()

    def submit(self, documents: Sequence[Document]) -> Future[NDArray[np.float32]]:
        """Begin what ``embed_documents`` waits for."""
        loop, client = self._open()
        texts = [self._cut(document_text(*document)) for document in documents]
        return loop.submit(self._embed(client, texts))

    def vector_length(self, timeout_s: float) -> int:
        """Return the length of the vectors that the server gives now; raises as ``embed_query``."""
        loop, client = self._open()
        return self._in_time(loop.submit(client.vector_length()), timeout_s)

    def check(self) -> str:
        """Return where the model is served; raises as ``ModelClient.check``."""
        loop, client = self._open()
        return loop.submit(client.check()).result()

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        with self._opening:
            session, self._session = self._session, None
            if session is not None:
                session.loop.close(session.client.close())
            if self._cache is not None:
                self._cache.close()
                self._cache = None

    def _open(self) -> _Session:
        with self._opening:
            if self._session is None:
                self._session = _Session(LoopThread("embedding"), self._open_client())
            return self._session

    def _in_time(self, future: Future[T], timeout_s: float) -> T:
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"{self.model_id} gave no vector within {timeout_s:g} s",
                hint="give it more time in VLLM_QUERY_TIMEOUT_MS, or check the load of the server",
            ) from error

    def _cut(self, text: str) -> str:
        limit = self.contract.max_tokens
        return (
            text[: limit * _CHARS_A_TOKEN] if limit and self.contract.provider != "vllm" else text
        )

    async def _embed(self, client: VLLMClient, texts: Sequence[str]) -> NDArray[np.float32]:
        cache = self._kept()
        keys = [key_of(text) for text in texts]
        found = cache.get(keys) if cache is not None else {}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            vectors = (await client.embed_documents(list(missing.values()))).astype(np.float16)
            fresh = dict(zip(missing, vectors, strict=True))
            if cache is not None:
                cache.put(fresh)
            found |= fresh
        if not keys:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.stack([found[key] for key in keys]).astype(np.float32)

    def _kept(self) -> EmbeddingCache | None:
        """Return the vectors that are kept; runs on the loop alone."""
        if self._cache is None and self._cache_file is not None and self.contract.cache_mb:
            limit = self.contract.cache_mb << 20
            with suppress(StorageFailed):  # a search in an index that it cannot write to goes on
                self._cache = EmbeddingCache(self._cache_file, self.dim, limit)
        return self._cache


def document_text(path: str, symbol: str, text: str) -> str:
    """Return what a model reads of a chunk: where it stands, what it is called, and its text."""
    whole = f"{path}\n{symbol}\n{text}" if symbol else f"{path}\n{text}"
    return _sendable(whole)


def _sendable(text: str) -> str:
    """Return the text with halves of characters replaced, which no request can hold."""
    return text.encode("utf-8", "replace").decode()
