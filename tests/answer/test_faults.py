"""What a fault costs an answer: a row a fault, and every answer ends in an envelope and a trace.

Time is counted by a clock that stands still unless a stage takes its time, so that no row depends on
how busy the machine is; what never comes is waited for by limits of a few milliseconds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from codeintel_rev.answer.budget import RetrievalBudget
from codeintel_rev.answer.context import AnswerOptions, Lookup
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.errors import BadGlob
from codeintel_rev.types import AnswerEnvelope, AnswerEvent, Scope, SearchHit
from tests.fakes.retriever import (
    ROOMY,
    FakeChat,
    FakeContext,
    FakeReranker,
    FakeRetriever,
    FakeSearcher,
    make_hit,
)

HITS = [make_hit(n) for n in range(1, 6)]
QUESTION = "what is returned?"
SHORT = AnswerOptions(
    budget=RetrievalBudget(
        embedding=5, faiss=5, bm25=5, hydration=5, reranking=5, synthesis=5, synthesis_gap=5
    )
)
"""So that what never comes is not waited for long."""


@dataclass
class Stuck:
    """Keeps threads waiting until the test is over."""

    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *_: object, **__: object) -> list[SearchHit]:
        self.over.wait(60)
        return []


@dataclass
class Chat(FakeChat):
    """Says its tokens, and then what the fault is."""

    then: Callable[[], AsyncIterator[str]] | None = None

    async def stream_completion(self, *args: object, **kwargs: object) -> AsyncIterator[str]:
        try:
            for token in self.tokens:
                yield token
            if self.error:
                raise self.error
            if self.then is not None:
                async for token in self.then():
                    yield token
        finally:
            self.closed = True


async def never() -> AsyncIterator[str]:
    await asyncio.Event().wait()
    yield ""


async def flood() -> AsyncIterator[str]:
    piece = "x" * 65_536
    while True:  # as much as anybody listens to
        yield piece


async def empty_flood() -> AsyncIterator[str]:
    while True:
        yield ""


async def garbage() -> AsyncIterator[str]:
    for token in ("\x00\ufffd", "[" * 1000, "]" * 1000, "[1", "9" * 500, "] \ud800", "```" * 9):
        yield token


class Sources:
    """A record that fails, or that never held what is cited."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def look_up(self, hits: Sequence[SearchHit], scope: Scope | None, *, present: bool) -> Lookup:
        if self.error:
            raise self.error
        return Lookup()


@dataclass(frozen=True)
class Fault:
    """A context, and what its answers have to say."""

    name: str
    context: Callable[[Stuck], FakeContext]
    limits: set[str]
    synthesizer: str = "extractive"
    budget_ms: float | None = None
    retrieval: str = "hybrid-rrf"
    cites: bool = True


def staged(**fields: object) -> FakeRetriever:
    return FakeRetriever(stored=HITS, **{"dense": (1, 2), "lexical": (2, 3), **fields})


def local(options: AnswerOptions = ROOMY, **fields: object) -> FakeContext:
    return FakeContext(
        staged(),
        searcher=FakeSearcher(HITS),
        answer_options=options,
        **fields,  # type: ignore[arg-type]
    )


def stages(options: AnswerOptions = ROOMY, **fields: object) -> FakeContext:
    return FakeContext(staged(**fields), answer_options=options)


def slow(channel: str, stuck: Stuck) -> FakeContext:
    context = stages(replace(ROOMY, budget=replace(ROOMY.budget, embedding=1, **{channel: 20})))
    setattr(
        context.retriever, {"faiss": "retrieve_dense", "bm25": "retrieve_lexical"}[channel], stuck
    )
    return context


def slow_hydration(stuck: Stuck) -> FakeContext:
    context = stages(replace(ROOMY, budget=replace(ROOMY.budget, hydration=20)))
    context.retriever.finish = stuck  # type: ignore[method-assign]
    return context


class SlowReranker:
    async def rerank(self, query: str, candidates: Sequence[str]) -> list[float]:
        await asyncio.Event().wait()
        return []


DOWN = ConnectionError("refused")

FAULTS = [
    Fault("dense channel slow", lambda s: slow("faiss", s), {"faiss_timeout"}, retrieval="bm25-only"),
    Fault("dense channel raises", lambda _: stages(dense_error=DOWN), {"faiss_error"}, retrieval="bm25-only"),
    Fault("words slow", lambda s: slow("bm25", s), {"bm25_timeout"}, retrieval="faiss-only"),
    Fault("words raise", lambda _: stages(lexical_error=DOWN), {"bm25_error"}, retrieval="faiss-only"),
    Fault("both channels dead", lambda _: stages(dense_error=DOWN, lexical_error=DOWN),
          {"faiss_error", "bm25_error", "no_retrieval"}, retrieval="failed", cites=False),
    Fault("record cannot be read", lambda _: stages(finish_error=DOWN),
          {"hydration_error", "no_evidence"}, cites=False),
    Fault("record is slow", slow_hydration, {"hydration_timeout", "no_evidence"}, cites=False),
    Fault("citations cannot be checked", lambda _: local(sources=Sources(DOWN)), {"hydration_error"}),
    Fault("cited lines are gone", lambda _: local(sources=Sources()), set()),
    Fault("reranker slow", lambda _: local(replace(ROOMY, budget=replace(ROOMY.budget, reranking=5)),
                                           reranker=SlowReranker()), {"rerank_timeout"}),
    Fault("reranker gives NaN", lambda _: local(reranker=FakeReranker([float("nan")] * 5)), {"rerank_error"}),
    Fault("reranker gives too few", lambda _: local(reranker=FakeReranker([0.5])), {"rerank_error"}),
    Fault("chat refuses", lambda _: local(chat=Chat([], error=DOWN)), {"synthesis_error"}),
    Fault("chat says nothing", lambda _: local(chat=Chat([])), {"synthesis_error"}),
    Fault("chat is silent", lambda _: local(SHORT, chat=Chat([], then=never)), {"synthesis_timeout"}),
    Fault("chat stalls", lambda _: local(SHORT, chat=Chat(["It is `f1` [1]."], then=never)),
          {"synthesis_truncated"}, "chat"),
    Fault("chat closes early", lambda _: local(chat=Chat(["It is `f1` [1"], error=EOFError("closed"))),
          {"synthesis_error", "citation_missing"}, "chat"),
    Fault("chat sends garbage", lambda _: local(chat=Chat([], then=garbage)),
          {"citation_missing"}, "chat"),
    Fault("chat never ends", lambda _: local(chat=Chat(["`f1` [1] "], then=flood)),
          {"synthesis_truncated"}, "chat"),
    Fault("chat sends nothing without end", lambda _: local(chat=Chat([], then=empty_flood)), {"synthesis_error"}),
    Fault("no time for the chat", lambda _: local(chat=Chat(["f1 [1]"])), {"synthesis_skipped"}, budget_ms=150),
    Fault("one millisecond", lambda s: slow("faiss", s), {"faiss_timeout", "bm25_timeout", "no_retrieval"},
          budget_ms=1e-6, retrieval="failed", cites=False),
    Fault("no time at all", lambda _: stages(), {"faiss_timeout", "bm25_timeout", "no_retrieval"},
          budget_ms=0, retrieval="failed", cites=False),
]  # fmt: skip


async def events_of(context: FakeContext, budget_ms: float | None = None) -> list[AnswerEvent]:
    orchestrator = AnswerOrchestrator(context)
    try:
        stream = orchestrator.answer(QUESTION, top_k=3, time_budget_ms=budget_ms)
        return [event async for event in stream]
    finally:
        orchestrator.close()


def envelope_of(events: Sequence[AnswerEvent]) -> AnswerEnvelope:
    envelope = events[-1].envelope
    assert envelope is not None
    return envelope


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_costs_its_own_part_only(fault: Fault):
    stuck = Stuck()
    context = fault.context(stuck)
    try:
        events = await asyncio.wait_for(events_of(context, fault.budget_ms), 60)
    finally:
        stuck.over.set()

    envelope = envelope_of(events)
    assert set(envelope.limits) == fault.limits
    assert envelope.plan.synthesizer == fault.synthesizer
    assert envelope.plan.retrieval == fault.retrieval
    assert envelope.answer == "".join(event.content for event in events)
    assert bool(envelope.citations) == fault.cites
    (trace,) = context.traces.taken
    assert (trace.trace_id, trace.status) == (envelope.trace_id, "ok")
    assert trace.limits == envelope.limits
    if isinstance(context.chat, FakeChat) and "synthesis_skipped" not in fault.limits:
        assert context.chat.closed
    await nothing_is_left_running()


async def nothing_is_left_running() -> None:
    """Assert that no task of an answer lives on."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others


async def test_what_could_not_be_checked_is_not_called_verified():
    for sources in (Sources(DOWN), Sources()):
        citations = envelope_of(await events_of(local(sources=sources))).citations
        assert citations
        assert not any(citation.verified for citation in citations)


@pytest.mark.parametrize("left_after", range(6))
async def test_a_client_may_leave_at_every_event(left_after: int):
    chat = Chat(["It is ", "`f1` [1]", " and `f2` [2]."])
    context = local(chat=chat)
    orchestrator = AnswerOrchestrator(context)
    stream = orchestrator.answer(QUESTION)
    for _ in range(left_after):
        await anext(stream)
    await stream.aclose()
    orchestrator.close()

    assert chat.closed == (left_after > 0)
    if left_after:
        (trace,) = context.traces.taken
        assert (trace.status, trace.error) == ("error", "the client went away")
    await nothing_is_left_running()


async def test_who_leaves_with_the_envelope_lacked_nothing():
    context = local()
    orchestrator = AnswerOrchestrator(context)
    stream = orchestrator.answer(QUESTION)
    async for event in stream:
        if event.envelope is not None:
            break
    await stream.aclose()
    orchestrator.close()

    assert [trace.status for trace in context.traces.taken] == ["ok"]


def _bad_scope(*_: object) -> list[SearchHit]:
    raise BadGlob("bad glob '['")


async def test_a_callers_error_leaves_a_trace_too():
    context = FakeContext(staged(), searcher=FakeSearcher([], error=KeyError("x")))
    context.retriever.retrieve_dense = context.retriever.retrieve_lexical = _bad_scope  # type: ignore[method-assign]
    with pytest.raises(BadGlob):
        await events_of(context)

    (trace,) = context.traces.taken
    assert (trace.status, trace.error) == ("error", "BadGlob: bad glob '['")


async def test_two_hundred_answers_at_once_do_not_mix():
    contexts = [local() for _ in range(200)]
    before = threading.active_count()

    answers = await asyncio.wait_for(asyncio.gather(*(events_of(c) for c in contexts)), 100)

    texts = {envelope_of(events).answer for events in answers}
    assert len(texts) == 1
    assert len({envelope_of(events).trace_id for events in answers}) == 200
    assert all(len(context.traces.taken) == 1 for context in contexts)
    await nothing_is_left_running()
    for thread in threading.enumerate():
        if thread.name.startswith(("search", "faiss", "bm25", "hydration")):
            thread.join(30)
    assert threading.active_count() <= before


async def test_two_hundred_answers_of_one_orchestrator_share_its_threads():
    context = local()
    orchestrator = AnswerOrchestrator(context)

    async def one() -> AnswerEnvelope:
        return envelope_of([event async for event in orchestrator.answer(QUESTION)])

    envelopes = await asyncio.wait_for(asyncio.gather(*(one() for _ in range(200))), 100)
    orchestrator.close()

    assert {envelope.limits for envelope in envelopes} == {()}
    assert len(context.traces.taken) == 200


async def test_half_a_character_in_a_question_does_not_spoil_its_trace():
    context = local()
    orchestrator = AnswerOrchestrator(context)
    async for _ in orchestrator.answer("what is \ud800 returned?"):
        pass
    orchestrator.close()

    assert context.traces.taken[0].query == "what is ? returned?"
