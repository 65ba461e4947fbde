"""Answers from a local index: the orchestrator driven without a server."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codeintel_rev.answer.budget import RetrievalBudget
from codeintel_rev.answer.context import AnswerOptions, SparseRetriever, TraceSink
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.answer.prompt import SYSTEM
from codeintel_rev.app.answer_sources import JournalSources
from codeintel_rev.app.merged_search import Part, best_hits, looked_at, merged
from codeintel_rev.app.models import AnswerModels
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.stage_times import StageTimes
from codeintel_rev.app.traces import journal_of
from codeintel_rev.config.settings import AnswerConfig
from codeintel_rev.ports import ChatModel, Clock, Reranker
from codeintel_rev.retrieval.hybrid import HybridSearcher
from codeintel_rev.retrieval.query import ParsedQuery, parse_query
from codeintel_rev.types import AnswerEvent, Mode, Scope, SearchHit, SearchResult, Source

if TYPE_CHECKING:
    from codeintel_rev.app.local import LocalIndex


def answer_events(
    index: LocalIndex,
    question: str,
    limit: int,
    scope: Scope | None,
    mode: Mode,
    budget_ms: int | None,
) -> Iterator[AnswerEvent]:
    """Yield an answer's events; closing the iterator cancels the answer."""
    models = AnswerModels.of(index.settings)
    orchestrator = AnswerOrchestrator(LocalAnswerContext.of(index, journal_of(index), models))
    with asyncio.Runner() as runner:
        stream = orchestrator.answer(
            question, scope, top_k=limit, time_budget_ms=budget_ms, mode=mode
        )
        try:
            while True:
                try:
                    event = runner.run(anext(stream))
                except StopAsyncIteration:
                    return
                yield event
        finally:
            runner.run(stream.aclose())
            runner.run(models.close())
            orchestrator.close()


@dataclass(frozen=True, slots=True)
class LocalAnswerContext:
    """The parts of an answer (``AnswerContext``): retrieval in this process, models where they are."""

    retriever: StagedRetriever
    searcher: TimedSearch
    sources: JournalSources
    answer_options: AnswerOptions
    names_repos: bool
    sparse: SparseRetriever | None = None
    traces: TraceSink | None = None
    chat: ChatModel | None = None
    reranker: Reranker | None = None
    clock: Clock = time.monotonic

    @classmethod
    def of(
        cls,
        index: LocalIndex,
        traces: TraceSink | None = None,
        models: AnswerModels | None = None,
    ) -> LocalAnswerContext:
        """Compose the context of an opened index; ``models`` stay open as long as it is used."""
        models = models or AnswerModels()
        retriever = StagedRetriever(index)
        return cls(
            retriever=retriever,
            sparse=None if index.settings.splade.model is None else retriever,
            searcher=TimedSearch(index),
            sources=JournalSources(index),
            answer_options=_options(index.settings.answer),
            names_repos=len(index.repositories) > 1,
            traces=traces,
            chat=models.chat,
            reranker=models.reranker or _reranker(index),
        )


class TimedSearch:
    """A whole search in one call (``OneCallSearcher``) that tells the time of its stages."""

    def __init__(self, index: LocalIndex) -> None:
        self._index = index

    def search(
        self, query: str, *, limit: int, scope: Scope | None = None, mode: Mode = "hybrid"
    ) -> SearchResult:
        """Return the best ``limit`` hits, hydrated, with what went wrong in ``limits``."""
        return self._index.search(query, limit=limit, scope=scope, mode=mode, times=StageTimes())


class StagedRetriever:
    """Retrieval stage by stage (``Retriever``, ``SparseRetriever``), each in a view of its own."""

    def __init__(self, index: LocalIndex) -> None:
        self._index = index

    def retrieve_dense(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return up to ``k`` nearest chunks, best first, not hydrated."""
        return self._channel(query, scope, k, "faiss")

    def retrieve_lexical(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return up to ``k`` chunks by words, best first, not hydrated."""
        return self._channel(query, scope, k, "bm25")

    def retrieve_sparse(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return up to ``k`` chunks by implied terms, best first, not hydrated."""
        return self._channel(query, scope, k, "splade")

    def finish(
        self, query: str, hits: Sequence[SearchHit], scope: Scope | None, limit: int
    ) -> list[SearchHit]:
        """Return the best ``limit`` of the fused hits: ranked by what they are, and hydrated."""
        parsed = parse_query(query)
        by_repository = defaultdict[str, list[SearchHit]](list)
        for hit in hits:
            by_repository[hit.repo].append(hit)
        with ExitStack() as stack:
            parts = []
            for name, view in self._views(stack, scope, among=by_repository):
                searcher = HybridSearcher(view.channels, self._index.embedder)
                retrieved = searcher.retrieved_before(parsed, by_repository[name])
                parts.append(Part(view, searcher, retrieved))
            wanted = looked_at((part.view for part in parts), limit)
            return best_hits(merged(parts, parsed, wanted), limit)

    def _channel(self, query: str, scope: Scope | None, k: int, source: Source) -> list[SearchHit]:
        """Return a channel's best ``k`` over all repositories.

        Cosines and the scores of a SPLADE model compare. Those of BM25 do not: each repository's
        are led by how much of the query its best chunk covers.
        """
        parsed = parse_query(query)
        found: list[tuple[float, SearchHit]] = []
        with ExitStack() as stack:
            views = list(self._views(stack, scope))
            for name, view in views:
                searcher = HybridSearcher(view.channels, self._index.embedder)
                rows = _rows_of(source, searcher, parsed, k)
                compares = source != "bm25" or len(views) == 1
                scale = 1.0 if compares else _scale(searcher, parsed, rows)
                found += [(hit.score * scale, hit) for hit in _bare_hits(name, view, rows, source)]
        found.sort(key=lambda pair: (-pair[0], pair[1].doc_id))
        return [hit for _, hit in found[:k]]

    def _views(
        self, stack: ExitStack, scope: Scope | None, among: Container[str] | None = None
    ) -> Iterator[tuple[str, RepositoryView]]:
        """Yield each selected repository's name and view, which ``stack`` closes."""
        for opened in self._index.selected(scope):
            name = opened.repository.name
            if among is None or name in among:
                view = stack.enter_context(opened.view(scope))
                if view is not None:
                    yield name, view


def _rows_of(
    source: Source, searcher: HybridSearcher, query: ParsedQuery, k: int
) -> Mapping[int, float]:
    if source == "faiss":
        return searcher.dense(query, k)
    return searcher.words(query, k) if source == "bm25" else searcher.sparse(query, k)


def _scale(searcher: HybridSearcher, query: ParsedQuery, rows: Mapping[int, float]) -> float:
    """Return what makes the best BM25 score of a repository its coverage of the query."""
    best = max(rows.values(), default=0.0)
    return searcher.coverage(query) / best if best > 0.0 else 0.0


def _bare_hits(
    name: str, view: RepositoryView, rows: Mapping[int, float], source: Source
) -> list[SearchHit]:
    """Return rows with their scores as hits that are not hydrated."""
    heads = view.catalog.heads(list(rows))
    return [
        SearchHit(doc_id=heads[row].id, score=score, source=source, row=row, repo=name)
        for row, score in rows.items()
        if row in heads
    ]


def _reranker(index: LocalIndex) -> Reranker | None:
    if index.settings.answer.reranker == "none":
        return None
    from codeintel_rev.io.static_embedder import StaticEmbedder
    from codeintel_rev.retrieval.token_reranker import TokenReranker
    from codeintel_rev.text.background_idf import background_idf

    embedder = index.embedder
    own = embedder if isinstance(embedder, StaticEmbedder) else StaticEmbedder()
    return TokenReranker(own, background_idf)


def _options(settings: AnswerConfig) -> AnswerOptions:
    return AnswerOptions(
        budget=RetrievalBudget(
            embedding=settings.embedding_timeout_ms,
            faiss=settings.faiss_timeout_ms,
            bm25=settings.bm25_timeout_ms,
            splade=settings.splade_timeout_ms,
            hydration=settings.hydration_timeout_ms,
            reranking=settings.rerank_timeout_ms,
            synthesis=settings.synthesis_timeout_ms,
            synthesis_gap=settings.synthesis_gap_ms,
            synthesis_total=settings.synthesis_total_ms,
            request=settings.time_budget_ms,
        ),
        max_input_tokens=settings.max_input_tokens,
        max_output_tokens=settings.max_output_tokens,
        confidence_threshold=settings.confidence_threshold,
        check_files=settings.check_files,
        system_prompt=settings.system_prompt or SYSTEM,
        redact_secrets=settings.redact_secrets,
    )
