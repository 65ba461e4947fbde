"""What one layer asks of another: protocols of at most three methods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codeintel_rev.types import ChunkHead, ChunkRecord, SearchResult, SparseVector


class Embedder(Protocol):
    """Turns text into unit vectors; safe to call from several threads."""

    @property
    def dim(self) -> int:
        """Length of every vector."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a query, shape ``(dim,)``; all zero when nothing is known."""
        ...

    def embed_documents(self, documents: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
        """Return the unit vectors of (path, symbol, text) triples, shape ``(n, dim)``."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours by inner product over rows."""

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row."""
        ...

    def similarities(
        self, query: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the score of each of ``rows``, which are all stored."""
        ...


class CandidateIndex(Protocol):
    """Nearest neighbours, roughly, among the first of a row of vectors."""

    @property
    def count(self) -> int:
        """Number of vectors that it knows."""
        ...

    def propose(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return up to ``k`` positions with ``mask[position]``, in any order; one mask bit each."""
        ...


class CandidateSource(Protocol):
    """Makes an index of candidates meanwhile."""

    def asked(self) -> CandidateIndex | None:
        """Return the index, or ``None`` while there is none; each call is a search."""
        ...


class LexicalIndex(Protocol):
    """Words to rows."""

    def search(
        self,
        terms: Sequence[str],
        k: int,
        mask: NDArray[np.bool_],
        title: Collection[str] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row.

        Terms outside ``title``, if there is one, count less.
        """
        ...

    def coverage(
        self, terms: Sequence[str], mask: NDArray[np.bool_], title: Collection[str] | None = None
    ) -> float:
        """Return how well the best row holds the terms, comparable over repositories."""
        ...


class SparseEncoder(Protocol):
    """Turns text into weighted terms of a model's vocabulary, those that it implies included."""

    @property
    def fingerprint(self) -> str:
        """What vectors depend on: only those of equal fingerprints compare."""
        ...

    def encode(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vector of each text, be it a query or code."""
        ...


class SparseChannel(Protocol):
    """Text to rows, by weighted terms."""

    def search(
        self, query: str, k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row."""
        ...


class ChunkCatalog(Protocol):
    """Rows to what stands in them."""

    def heads(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        """Return what ranking needs of ``rows``, by row; unknown rows are left out."""
        ...

    def definitions(self, name: str, limit: int) -> list[int]:
        """Return rows in which something called ``name`` is defined, exact case first."""
        ...

    def of_kinds(self, name: str, kinds: Collection[str], limit: int) -> list[int]:
        """Return rows in which one of ``kinds`` is defined under exactly this name."""
        ...

    def hydrate(self, rows: Sequence[int]) -> list[ChunkRecord]:
        """Return the records of live rows in the order asked; rows that are not live are left out."""
        ...


class ChunkTexts(Protocol):
    """Rows to their text alone."""

    def texts(self, rows: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the (row, text) of stored chunks in no order, the text as UTF-8."""
        ...


class Searcher(Protocol):
    """A whole search over everything that is open, synchronous."""

    def search(self, query: str, *, limit: int = 10) -> SearchResult:
        """Return the best ``limit`` hits for ``query``."""
        ...


@dataclass(slots=True)
class Completion:
    """What a completion told beside its text; complete once its stream has ended."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    finish_reason: str | None = None
    """``stop``, or ``length`` where the limit of tokens cut it off."""
    reasoning: str = ""
    """What the model thought aloud; no part of the answer."""


class ChatModel(Protocol):
    """A language model that streams text."""

    def stream_completion(
        self,
        messages: list[dict[str, str]],
        max_tokens: int = 500,
        temperature: float = 0.2,
        stop: list[str] | None = None,
        told: Completion | None = None,
    ) -> AsyncIterator[str]:
        """Yield pieces of the completion in order; ``told`` is filled on the way."""
        ...


@runtime_checkable
class SizedModel(Protocol):
    """A model that knows how much it takes."""

    async def context_tokens(self) -> int | None:
        """Return how many tokens prompt and completion may have together; ``None`` = not known."""
        ...


class Reranker(Protocol):
    """Scores candidates against a query."""

    async def rerank(self, query: str, candidates: Sequence[str]) -> list[float]:
        """Return one score in [0, 1] for each candidate, in the order given."""
        ...


class Clock(Protocol):
    """Time as the deadlines see it."""

    def __call__(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...
