"""The orchestrator: retrieval under time budgets, then an answer whose claims cite their lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TypeVar

from codeintel_rev.answer.budget import Deadline
from codeintel_rev.answer.confidence import confidence
from codeintel_rev.answer.context import AnswerContext
from codeintel_rev.answer.envelope import retrieval_kind, snippets_of
from codeintel_rev.answer.evidence import NO_EVIDENCE, evidence_of
from codeintel_rev.answer.extractive import Piece
from codeintel_rev.answer.prompt import Prompt, estimate_prompt_tokens
from codeintel_rev.answer.question import question_of
from codeintel_rev.answer.rerank import rerank
from codeintel_rev.answer.run import AnswerRun
from codeintel_rev.answer.stages import Lane, Outcome, run_stage
from codeintel_rev.answer.synthesis import Synthesizer
from codeintel_rev.errors import ScopeEmpty
from codeintel_rev.retrieval.fusion import RRF_K, fuse_hits
from codeintel_rev.types import AnswerEnvelope, AnswerEvent, Mode, Scope, SearchHit

CHANNEL_K = 100
"""Candidates that each channel is asked for at least."""

MIN_RERANK_MS = 500
"""Reranking is left out when no more time than this is left."""

T = TypeVar("T")


class AnswerOrchestrator:
    """Answers questions from an index; safe for concurrent answers on one event loop."""

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._options = context.answer_options
        self._budget = context.answer_options.budget
        self._clock = context.clock
        self._synthesizer = Synthesizer(context.chat, context.answer_options)
        self._lanes = {
            name: Lane(name, self._options.threads)
            for name in ("search", "faiss", "bm25", "splade", "hydration")
        }

    async def answer(
        self,
        query: str,
        scope: Scope | None = None,
        top_k: int = 10,
        rerank_top_n: int = 50,
        time_budget_ms: float | None = None,
        mode: Mode = "hybrid",
        session_id: str | None = None,
        trace_id: str | None = None,
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Yield an answer as it is made: tokens and citations, a trace, and last the envelope.

        The tokens joined are the envelope's text. A stage that fails or is late costs its own
        result and leaves a word in ``limits``. Without ``time_budget_ms`` retrieval has the
        budget's request time and synthesis its own.

        However it ends, a trace goes to the context's sink: named ``trace_id`` where the caller has
        told that name already, with ``session_id`` in it.

        Raises:
            InvalidArgument: the query, scope or mode cannot be used.
            NotFound: the scope names a repository that does not exist.

        """
        run = self._begin(query, scope, mode, time_budget_ms)
        run.session_id = session_id
        run.trace_id = trace_id or run.trace_id
        try:
            hits = await self._supported_hits(run, top_k, rerank_top_n)
            async with aclosing(self._synthesize_streaming(hits, run)) as pieces:
                async for piece in pieces:
                    for event in run.say(piece):
                        yield event
            run.finish(hits, self._compute_confidence(run, hits))
            yield AnswerEvent("trace", trace=run.trace().document())
            run.is_delivered = True
            yield AnswerEvent("envelope", envelope=self._envelope(run, hits))
        except BaseException as error:
            run.fail(error)
            raise
        finally:
            if self._context.traces is not None:
                self._context.traces.emit(run.trace())

    def close(self) -> None:
        """Let go of the threads."""
        for lane in self._lanes.values():
            lane.close()

    def _begin(
        self,
        query: str,
        scope: Scope | None,
        mode: Mode,
        time_budget_ms: float | None,
    ) -> AnswerRun:
        budget = self._budget
        default = budget.request + budget.synthesis_total
        total = default if time_budget_ms is None else time_budget_ms
        return AnswerRun(
            question=question_of(query),
            scope=scope,
            mode=mode,
            retrieval_deadline=Deadline.after(min(total, budget.request), self._clock),
            deadline=Deadline.after(total, self._clock),
            started=self._clock(),
            names_repos=self._context.names_repos,
        )

    async def _supported_hits(
        self, run: AnswerRun, top_k: int, rerank_top_n: int
    ) -> list[SearchHit]:
        """Return the hits to answer from, looked up in the record, and weigh them as evidence."""
        candidates = max(top_k, rerank_top_n) if self._context.reranker else top_k
        hits: list[SearchHit] = []
        try:
            hits = await self._retrieve(run, run.scope, candidates)
        except ScopeEmpty:
            run.limit("scope_empty")
        run.top_k = [hit.doc_id for hit in hits[:top_k]]
        hits = (await self._rerank_with_timeout(run.query, hits, top_k, run))[:top_k]
        run.retrieval = retrieval_kind(run.mode, hits, run.limits)
        hits = await self._look_up(run, hits)
        run.evidence = evidence_of(run.question, hits)
        if run.retrieval == "failed" and not hits and "scope_empty" not in run.limits:
            run.limit("no_retrieval")
        elif "scope_empty" not in run.limits and run.evidence.score < NO_EVIDENCE:
            run.limit("no_evidence")
        return hits

    async def _look_up(self, run: AnswerRun, hits: list[SearchHit]) -> list[SearchHit]:
        """Return the hits, those marked stale that the record does not hold at their lines."""
        sources = self._context.sources
        if sources is None or not hits:
            return hits
        present = self._options.check_files
        call = partial(sources.look_up, hits, run.scope, present=present)
        work = partial(self._lanes["hydration"].run, call)
        outcome = await self._timed(run, "lookup", work, self._budget.hydration)
        if outcome.value is None:
            run.limit("hydration_timeout" if outcome.status == "timed_out" else "hydration_error")
            return [replace(hit, stale=True) for hit in hits]
        return run.take_lookup(hits, outcome.value)

    async def _retrieve(self, run: AnswerRun, scope: Scope | None, limit: int) -> list[SearchHit]:
        """Return hydrated hits: in one call where that is possible; when it fails, stage by stage."""
        searcher = self._context.searcher
        if searcher is not None:
            run.candidates = limit
            call = partial(searcher.search, run.query, limit=limit, scope=scope, mode=run.mode)
            work = partial(self._lanes["search"].run, call)
            outcome = await self._timed(run, "search", work, run.retrieval_deadline.left_ms)
            result = run.value_of("search", outcome)
            if result is not None:
                run.limit(*result.limits)
                run.latencies_ms |= result.stage_ms
                return list(result.hits)
        return await self._retrieve_parallel(run.query, scope, limit, run.limits, run)

    async def _retrieve_parallel(
        self,
        query: str,
        scope: Scope | None,
        top_n: int,
        limits: list[str],
        run: AnswerRun | None = None,
    ) -> list[SearchHit]:
        """Return the best ``top_n`` hits of the channels that answer in time, fused and hydrated.

        What a channel failed at is appended to ``limits``. Exact names are looked up as words here.
        """
        run = run or replace(self._begin(query, scope, "hybrid", None), limits=limits)
        run.mode = "lexical" if run.mode == "exact" else run.mode
        run.candidates = k = max(CHANNEL_K, top_n)
        budget = self._budget
        stages = {}
        if run.wants_dense:
            work = partial(self._retrieve_faiss, query, scope, k)
            stages["faiss"] = self._timed(run, "faiss", work, budget.embedding + budget.faiss)
        if run.wants_lexical:
            work = partial(self._retrieve_bm25, query, scope, k)
            stages["bm25"] = self._timed(run, "bm25", work, budget.bm25)
        if run.wants_sparse and self._context.sparse is not None:
            call = partial(self._context.sparse.retrieve_sparse, query, scope, k)
            work = partial(self._lanes["splade"].run, call)
            stages["splade"] = self._timed(run, "splade", work, budget.splade)
        outcomes = dict(zip(stages, await asyncio.gather(*stages.values()), strict=True))
        found = {name: run.settle(name, outcome) or [] for name, outcome in outcomes.items()}
        fused = self._rrf_fusion(
            found.get("faiss", []), found.get("bm25", []), splade_hits=found.get("splade", [])
        )
        return await self._hydrate(run, fused, scope, top_n)

    async def _timed(
        self, run: AnswerRun, stage: str, work: Callable[[], Awaitable[T]], limit_ms: float
    ) -> Outcome[T]:
        """Run a stage within its budget and what the request has left."""
        return await run_stage(stage, work, run.retrieval_deadline.slice_ms(limit_ms), self._clock)

    async def _retrieve_faiss(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return the ``k`` nearest chunks; the query is embedded on the way."""
        call = partial(self._context.retriever.retrieve_dense, query, scope, k)
        return await self._lanes["faiss"].run(call)

    async def _retrieve_bm25(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return the ``k`` best chunks by words."""
        call = partial(self._context.retriever.retrieve_lexical, query, scope, k)
        return await self._lanes["bm25"].run(call)

    def _rrf_fusion(
        self,
        faiss_hits: Sequence[SearchHit],
        bm25_hits: Sequence[SearchHit],
        k: int = RRF_K,
        splade_hits: Sequence[SearchHit] = (),
    ) -> list[SearchHit]:
        """Return the hits of all channels, each once, by reciprocal rank fusion."""
        return fuse_hits({"faiss": faiss_hits, "bm25": bm25_hits, "splade": splade_hits}, k)

    async def _hydrate(
        self, run: AnswerRun, fused: list[SearchHit], scope: Scope | None, top_n: int
    ) -> list[SearchHit]:
        """Return the best hits with their text, or those that came with it when that fails."""
        if not fused:
            return []
        call = partial(self._context.retriever.finish, run.query, fused, scope, top_n)
        work = partial(self._lanes["hydration"].run, call)
        outcome = await self._timed(run, "hydration", work, self._budget.hydration)
        hits = run.settle("hydration", outcome)
        return [hit for hit in fused if hit.uri][:top_n] if hits is None else hits

    async def _rerank_with_timeout(
        self, query: str, hits: list[SearchHit], top_k: int, run: AnswerRun
    ) -> list[SearchHit]:
        """Return the hits in the reranker's order, or as they are when there is no time or need."""
        reranker = self._context.reranker
        has_time = run.retrieval_deadline.left_ms > MIN_RERANK_MS
        if reranker is None or not has_time or len(hits) <= top_k:
            return hits
        work = partial(rerank, reranker, query, hits)
        outcome = await self._timed(run, "rerank", work, self._budget.reranking)
        ordered = run.settle("rerank", outcome)
        run.reranked = [hit.doc_id for hit in ordered or ()]
        return ordered or hits

    def _synthesize_streaming(
        self, hits: Sequence[SearchHit], run: AnswerRun
    ) -> AsyncGenerator[Piece, None]:
        """Yield the answer: the model's, or the extractive one where no model spoke."""
        return self._synthesizer.pieces(hits, run)

    def _build_prompt(self, hits: Sequence[SearchHit], run: AnswerRun) -> Prompt:
        """Return the prompt that fits the input budget; what was cut leaves a limit word."""
        return self._synthesizer.prompt(hits, run)

    def _estimate_prompt_tokens(self, messages: Sequence[dict[str, str]]) -> int:
        """Return about how many tokens a model reads for these messages, rather too many."""
        return estimate_prompt_tokens(messages)

    def _compute_confidence(self, run: AnswerRun, hits: Sequence[SearchHit]) -> float:
        """Return how far the answer is to be trusted."""
        return confidence(
            evidence=run.evidence.score if hits else 0.0,
            synthesised=run.synthesizer == "chat",
            limits=tuple(run.limits),
            retrieval=run.retrieval,
        )

    def _envelope(self, run: AnswerRun, hits: Sequence[SearchHit]) -> AnswerEnvelope:
        citations = tuple(run.citations.values())
        return AnswerEnvelope(
            query=run.query,
            answer="".join(run.text),
            snippets=snippets_of(hits, citations),
            citations=citations,
            plan=run.plan(self._options.max_output_tokens),
            limits=tuple(run.limits),
            confidence=run.confidence,
            low_confidence=run.confidence <= self._options.confidence_threshold,
            trace_id=run.trace_id,
        )
