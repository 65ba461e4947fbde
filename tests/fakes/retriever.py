"""Retrieval from lists, and the context that an orchestrator is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from codeintel_rev.answer.budget import RetrievalBudget
from codeintel_rev.answer.context import (
    AnswerOptions,
    OneCallSearcher,
    Retriever,
    SourceRecord,
    SparseRetriever,
)
from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.ports import ChatModel, Clock, Completion, Reranker
from codeintel_rev.types import ChannelScores, Mode, Scope, SearchHit, SearchResult
from tests.fakes.clock import FakeClock


def make_hit(doc_id: int, code: str = "", **fields: object) -> SearchHit:
    """Return a hydrated hit whose lines follow from its code."""
    code = code or f"def f{doc_id}():\n    return {doc_id}\n"
    defaults: dict[str, object] = {
        "score": 1 / doc_id,
        "repo": "repo",
        "uri": f"src/m{doc_id}.py",
        "start_line": 1,
        "language": "python",
        "symbol": f"f{doc_id}",
        "kind": "function",
        "content_hash": f"hash{doc_id}",
        "scores": ChannelScores(faiss=0.5, bm25=3.0, rrf=0.03),
    }
    hit = SearchHit(doc_id=doc_id, code=code, **{**defaults, **fields})  # type: ignore[arg-type]
    lines = code.removesuffix("\n").count("\n")
    return replace(hit, end_line=hit.start_line + lines)


ROOMY = AnswerOptions(
    budget=RetrievalBudget(embedding=9e4, faiss=9e4, bm25=9e4, hydration=9e4, reranking=9e4,
                           synthesis=9e4, synthesis_gap=9e4, synthesis_total=9e4, request=9e4)
)  # fmt: skip
"""So that a busy machine is late for nothing."""


@dataclass
class FakeRetriever:
    """Returns the ids it was given for each channel, and raises what it was given to raise."""

    stored: Sequence[SearchHit]
    dense: Sequence[int] = ()
    lexical: Sequence[int] = ()
    sparse: Sequence[int] = ()
    dense_error: Exception | None = None
    lexical_error: Exception | None = None
    sparse_error: Exception | None = None
    finish_error: Exception | None = None

    def retrieve_dense(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        if self.dense_error:
            raise self.dense_error
        return [SearchHit(doc_id=i, score=0.9 - n / 10) for n, i in enumerate(self.dense[:k])]

    def retrieve_lexical(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        if self.lexical_error:
            raise self.lexical_error
        return [
            SearchHit(doc_id=i, score=9.0 - n, source="bm25")
            for n, i in enumerate(self.lexical[:k])
        ]

    def retrieve_sparse(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        if self.sparse_error:
            raise self.sparse_error
        return [
            SearchHit(doc_id=i, score=5.0 - n, source="splade")
            for n, i in enumerate(self.sparse[:k])
        ]

    def finish(
        self, query: str, hits: Sequence[SearchHit], scope: Scope | None, limit: int
    ) -> list[SearchHit]:
        if self.finish_error:
            raise self.finish_error
        stored = {hit.doc_id: hit for hit in self.stored}
        return [
            replace(stored[hit.doc_id], score=hit.score, scores=hit.scores) for hit in hits[:limit]
        ]


@dataclass
class FakeSearcher:
    """Returns its hits in one call."""

    hits: Sequence[SearchHit]
    limits: tuple[str, ...] = ()
    error: Exception | None = None

    def search(
        self, query: str, *, limit: int, scope: Scope | None = None, mode: Mode = "hybrid"
    ) -> SearchResult:
        if self.error:
            raise self.error
        return SearchResult(query, tuple(self.hits[:limit]), self.limits)


@dataclass
class FakeChat:
    """Streams its tokens, then raises if it was given an error; ``closed`` tells of the end."""

    tokens: Sequence[str]
    error: Exception | None = None
    tells: Completion | None = None
    closed: bool = False
    messages: list[dict[str, str]] = field(default_factory=list)

    async def stream_completion(
        self,
        messages: list[dict[str, str]],
        max_tokens: int = 500,
        temperature: float = 0.2,
        stop: list[str] | None = None,
        told: Completion | None = None,
    ) -> AsyncIterator[str]:
        self.messages = messages
        try:
            for token in self.tokens:
                yield token
            if self.error:
                raise self.error
            if self.tells is not None and told is not None:
                told.tokens_in, told.tokens_out = self.tells.tokens_in, self.tells.tokens_out
                told.finish_reason = self.tells.finish_reason
        finally:
            self.closed = True


@dataclass
class SizedChat(FakeChat):
    """A chat model that tells how much it takes, or never gets to it."""

    size: int | None = None
    is_silent: bool = False
    size_error: Exception | None = None

    async def context_tokens(self) -> int | None:
        if self.is_silent:
            await asyncio.Event().wait()
        if self.size_error:
            raise self.size_error
        return self.size


@dataclass
class FakeReranker:
    """Scores candidates with the numbers it was given."""

    scores: Sequence[float]

    async def rerank(self, query: str, candidates: Sequence[str]) -> list[float]:
        return list(self.scores)


@dataclass
class FakeSink:
    """Keeps the traces that it was given."""

    taken: list[AnswerTrace] = field(default_factory=list)

    def emit(self, trace: AnswerTrace) -> None:
        self.taken.append(trace)


@dataclass
class FakeContext:
    """What an orchestrator is made of."""

    retriever: Retriever
    sparse: SparseRetriever | None = None
    searcher: OneCallSearcher | None = None
    chat: ChatModel | None = None
    reranker: Reranker | None = None
    answer_options: AnswerOptions = ROOMY
    clock: Clock = field(default_factory=FakeClock)
    names_repos: bool = False
    sources: SourceRecord | None = None
    traces: FakeSink = field(default_factory=FakeSink)
