import asyncio
from dataclasses import replace

import pytest

from codeintel_rev.answer.budget import RetrievalBudget
from codeintel_rev.answer.context import AnswerOptions
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.errors import BadGlob, NotFound, ScopeEmpty, Unavailable
from codeintel_rev.ports import Completion
from codeintel_rev.types import AnswerEnvelope, AnswerEvent
from tests.fakes.retriever import (
    FakeChat,
    FakeContext,
    FakeReranker,
    FakeRetriever,
    FakeSearcher,
    SizedChat,
    make_hit,
)

HITS = [make_hit(n) for n in range(1, 6)]
QUESTION = "what is returned?"
"""Every hit holds as much of it as any other."""


def staged(**fields: object) -> FakeRetriever:
    return FakeRetriever(stored=HITS, **{"dense": (1, 2), "lexical": (2, 3), **fields})


def local(**fields: object) -> FakeContext:
    return FakeContext(staged(), searcher=FakeSearcher(HITS), **fields)


async def events_of(context: FakeContext, **options: object) -> list[AnswerEvent]:
    orchestrator = AnswerOrchestrator(context)
    try:
        return [event async for event in orchestrator.answer(QUESTION, **options)]
    finally:
        orchestrator.close()


async def envelope_of(context: FakeContext, **options: object) -> AnswerEnvelope:
    envelope = (await events_of(context, **options))[-1].envelope
    assert envelope is not None
    return envelope


async def test_the_stream_ends_with_the_envelope_and_its_text_is_the_tokens():
    events = await events_of(local())

    assert [event.type for event in events[-2:]] == ["trace", "envelope"]
    assert events[-1].envelope.answer == "".join(e.content for e in events if e.type == "token")


async def test_every_citation_goes_out_before_the_text_that_names_it():
    seen: set[str] = set()
    for event in await events_of(local()):
        if event.citation:
            c = event.citation
            seen.add(f"{c.uri}:{c.start_line}-{c.end_line}")
        for word in event.content.split():
            if "src/m" in word:
                assert word.strip("(),:") in seen


async def test_every_citation_is_verified_and_complete():
    envelope = await envelope_of(local())

    assert [c.n for c in envelope.citations] == [1, 2, 3, 4, 5]
    assert all(c.verified and c.language == "python" and c.content_hash for c in envelope.citations)
    assert all(snippet.cited for snippet in envelope.snippets)
    assert envelope.plan.retrieval == "hybrid-rrf"
    assert envelope.plan.synthesizer == "extractive"
    assert envelope.limits == ()
    assert envelope.confidence > 0.5


async def test_a_stale_hit_is_cited_without_being_called_verified():
    context = FakeContext(staged(), searcher=FakeSearcher([replace(HITS[0], stale=True)]))

    assert [c.verified for c in (await envelope_of(context)).citations] == [False]


async def test_places_name_their_repository_when_there_are_several():
    assert "repo:src/m1.py:1-2" in (await envelope_of(local(names_repos=True))).answer


async def test_when_the_one_call_fails_the_stages_answer():
    context = FakeContext(staged(), searcher=FakeSearcher([], error=OSError("gone")))

    envelope = await envelope_of(context)

    assert [snippet.id for snippet in envelope.snippets] == [2, 1, 3]
    assert envelope.limits == ()


async def test_the_words_of_a_search_reach_the_envelope():
    context = FakeContext(staged(), searcher=FakeSearcher(HITS, limits=("stale_index",)))

    envelope = await envelope_of(context)

    assert envelope.limits == ("stale_index",)
    assert envelope.confidence == pytest.approx((await envelope_of(local())).confidence - 0.1)


@pytest.mark.parametrize(
    ("failing", "limit", "retrieval", "ids"),
    [
        ({"dense_error": OSError()}, "faiss_error", "bm25-only", [2, 3]),
        ({"lexical_error": OSError()}, "bm25_error", "faiss-only", [1, 2]),
    ],
)
async def test_a_failing_channel_costs_its_own_hits(failing, limit, retrieval, ids):
    envelope = await envelope_of(FakeContext(staged(**failing)))

    assert envelope.limits == (limit,)
    assert envelope.plan.retrieval == retrieval
    assert [snippet.id for snippet in envelope.snippets] == ids


async def test_the_channel_of_a_splade_model_runs_beside_the_others():
    retriever = staged(sparse=(4, 2))
    context = FakeContext(retriever, sparse=retriever)

    envelope = await envelope_of(context)

    assert [snippet.id for snippet in envelope.snippets] == [2, 1, 4, 3]
    assert envelope.limits == ()
    assert context.traces.taken[0].splade_latency_ms is not None


async def test_no_splade_model_no_trace_of_one():
    context = FakeContext(staged(sparse=(4, 2)))

    envelope = await envelope_of(context)

    assert [snippet.id for snippet in envelope.snippets] == [2, 1, 3]
    assert context.traces.taken[0].splade_latency_ms is None


async def test_a_failing_splade_model_costs_its_own_hits():
    retriever = staged(sparse_error=OSError())

    envelope = await envelope_of(FakeContext(retriever, sparse=retriever))

    assert envelope.limits == ("splade_error",)
    assert envelope.plan.retrieval == "hybrid-rrf"
    assert [snippet.id for snippet in envelope.snippets] == [2, 1, 3]


async def test_implied_terms_alone_are_better_than_nothing():
    retriever = staged(dense_error=OSError(), lexical_error=OSError(), sparse=(4,))

    envelope = await envelope_of(FakeContext(retriever, sparse=retriever))

    assert envelope.limits == ("faiss_error", "bm25_error")
    assert envelope.plan.retrieval == "splade-only"
    assert [snippet.id for snippet in envelope.snippets] == [4]


async def test_a_slow_splade_model_is_left_behind():
    retriever = staged(sparse=(4, 2))
    options = AnswerOptions(
        budget=RetrievalBudget(embedding=9e4, faiss=9e4, bm25=9e4, splade=0, request=9e4)
    )

    envelope = await envelope_of(FakeContext(retriever, sparse=retriever, answer_options=options))

    assert envelope.limits == ("splade_timeout",)
    assert [snippet.id for snippet in envelope.snippets] == [2, 1, 3]


async def test_when_everything_fails_the_envelope_says_so():
    context = FakeContext(staged(dense_error=OSError(), lexical_error=TimeoutError("inner")))

    envelope = await envelope_of(context)

    assert envelope.limits == ("faiss_error", "bm25_error", "no_retrieval")
    assert envelope.plan.retrieval == "failed"
    assert (envelope.confidence, envelope.low_confidence) == (0.0, True)
    assert "Retrieval failed" in envelope.answer


async def test_no_hits_is_no_failure():
    envelope = await envelope_of(FakeContext(staged(dense=(), lexical=())))

    assert envelope.limits == ("no_evidence",)
    assert envelope.citations == ()
    assert "Nothing in the index matches" in envelope.answer


async def test_failed_hydration_leaves_nothing_to_cite():
    envelope = await envelope_of(FakeContext(staged(finish_error=Unavailable("closed"))))

    assert envelope.limits == ("hydration_error", "no_evidence")


async def test_an_empty_scope_is_reported():
    context = FakeContext(staged(), searcher=FakeSearcher([], error=ScopeEmpty("no file")))

    envelope = await envelope_of(context)

    assert envelope.limits == ("scope_empty",)
    assert "No indexed file is in scope" in envelope.answer


@pytest.mark.parametrize("error", [BadGlob("bad glob '['"), NotFound("no repository 'x'")])
async def test_a_scope_that_cannot_be_used_is_the_callers_error(error):
    with pytest.raises(type(error)):
        await events_of(FakeContext(staged(dense_error=error, lexical_error=error)))
    with pytest.raises(type(error)):
        await events_of(FakeContext(staged(), searcher=FakeSearcher([], error=error)))


@pytest.mark.parametrize(
    ("mode", "retrieval", "ids"),
    [
        ("dense", "faiss-only", [1, 2]),
        ("lexical", "bm25-only", [2, 3]),
        ("exact", "bm25-only", [2, 3]),
    ],
)
async def test_a_mode_asks_its_channel_only(mode, retrieval, ids):
    envelope = await envelope_of(FakeContext(staged()), mode=mode)

    assert envelope.plan.retrieval == retrieval
    assert [snippet.id for snippet in envelope.snippets] == ids
    assert envelope.limits == ()


async def test_without_time_every_channel_is_late():
    context = FakeContext(staged())

    envelope = await envelope_of(context, time_budget_ms=1e-9)

    assert "faiss_timeout" in envelope.limits
    assert "bm25_timeout" in envelope.limits
    assert envelope.plan.retrieval == "failed"


async def test_a_slow_channel_is_left_behind():
    orchestrator = AnswerOrchestrator(
        FakeContext(
            staged(), answer_options=AnswerOptions(budget=RetrievalBudget(embedding=1, faiss=1))
        )
    )
    never = asyncio.Event()

    async def stalled(*_: object) -> list:
        await never.wait()
        return []

    orchestrator._retrieve_faiss = stalled
    limits: list[str] = []
    hits = await orchestrator._retrieve_parallel("query", None, 10, limits)
    orchestrator.close()

    assert limits == ["faiss_timeout"]
    assert [hit.doc_id for hit in hits] == [2, 3]


async def test_cancelling_an_answer_is_not_swallowed():
    orchestrator = AnswerOrchestrator(FakeContext(staged()))
    started = asyncio.Event()

    async def stalled(*_: object) -> list:
        started.set()
        await asyncio.Event().wait()
        return []

    orchestrator._retrieve_faiss = stalled

    async def consume() -> None:
        async for _ in orchestrator.answer("q"):
            pass

    task = asyncio.create_task(consume())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    orchestrator.close()


def test_fusion_rewards_agreement_and_keeps_each_channels_score():
    orchestrator = AnswerOrchestrator(FakeContext(staged()))
    retriever = staged()

    fused = orchestrator._rrf_fusion(
        retriever.retrieve_dense("q", None, 10), retriever.retrieve_lexical("q", None, 10), k=60
    )

    assert [hit.doc_id for hit in fused] == [2, 1, 3]
    assert fused[0].score == pytest.approx(1 / 61 + 1 / 62)
    assert (fused[0].scores.faiss, fused[0].scores.bm25) == (0.8, 9.0)
    assert fused[1].scores.bm25 is None


async def test_a_chat_answer_streams_with_its_citations():
    chat = FakeChat(["The second ", "is `f2` [", "2].", " Not [9]."])

    envelope = await envelope_of(local(chat=chat))

    assert envelope.answer == "The second is `f2` (src/m2.py:1-2). Not."
    assert [(c.n, c.uri, c.verified) for c in envelope.citations] == [(1, "src/m2.py", True)]
    assert [snippet.id for snippet in envelope.snippets if snippet.cited] == [2]
    assert envelope.limits == ("citation_invalid",)
    assert envelope.plan.synthesizer == "chat"
    assert chat.closed


@pytest.mark.parametrize(
    ("size", "limits"), [(None, ()), (100_000, ()), (1100, ("prompt_truncated",))]
)
async def test_the_prompt_goes_by_the_context_of_the_model(size, limits):
    long = [make_hit(n, f"return compute()  # {n}\n" * 60) for n in (1, 2, 3)]
    chat = SizedChat(["Yes [1]."], size=size)

    envelope = await envelope_of(FakeContext(staged(), searcher=FakeSearcher(long), chat=chat))

    assert envelope.limits == limits
    assert ("[3]" in chat.messages[1]["content"]) == (not limits)


@pytest.mark.parametrize("fault", [{"is_silent": True}, {"size_error": OSError("refused")}])
async def test_an_answer_does_without_the_context_that_a_server_does_not_tell(fault):
    chat = SizedChat(["Yes [1]."], **fault)

    envelope = await envelope_of(local(chat=chat))

    assert envelope.plan.synthesizer == "chat"
    assert envelope.limits == ()


async def test_an_uncited_chat_answer_is_kept_and_followed_by_the_sources():
    envelope = await envelope_of(local(chat=FakeChat(["It is in f2."])), top_k=2)

    assert envelope.answer.startswith("It is in f2.\n\nSources:\n- function `f1` (src/m1.py:1-2)")
    assert envelope.limits == ("citation_missing",)


@pytest.mark.parametrize(
    "chat",
    [
        FakeChat([], error=OSError("refused")),
        FakeChat([]),
        FakeChat(["\n", " "]),
    ],
)
async def test_a_silent_model_gives_way_to_the_extractive_answer(chat):
    envelope = await envelope_of(local(chat=chat))

    assert envelope.answer.startswith("The closest match is the function `f1` (src/m1.py:1-2)")
    assert envelope.limits == ("synthesis_error",)
    assert envelope.plan.synthesizer == "extractive"


async def test_a_model_that_only_cites_what_is_not_there_gives_way_too():
    envelope = await envelope_of(local(chat=FakeChat(["[9]"])))

    assert envelope.limits == ("citation_invalid",)
    assert envelope.plan.synthesizer == "extractive"


async def test_text_written_before_a_failure_stands():
    chat = FakeChat(["It is `f1` [1]"], error=OSError("reset"))

    envelope = await envelope_of(local(chat=chat))

    assert envelope.answer == "It is `f1` (src/m1.py:1-2)"
    assert envelope.limits == ("synthesis_error",)


class StalledChat(FakeChat):
    """Says its tokens, then nothing more, and never ends by itself."""

    async def stream_completion(self, *args: object, **kwargs: object):
        try:
            for token in self.tokens:
                yield token
            await asyncio.Event().wait()
        finally:
            self.closed = True


@pytest.mark.parametrize(
    ("tokens", "limit", "synthesizer"),
    [([], "synthesis_timeout", "extractive"), (["f1 [1]"], "synthesis_truncated", "chat")],
)
async def test_a_stalled_model_is_cut_off(tokens, limit, synthesizer):
    chat = StalledChat(tokens)
    options = AnswerOptions(budget=RetrievalBudget(synthesis=20, synthesis_gap=1))

    envelope = await envelope_of(local(chat=chat, answer_options=options))

    assert envelope.limits == (limit,)
    assert envelope.plan.synthesizer == synthesizer
    assert chat.closed


async def test_the_server_s_count_of_tokens_is_kept():
    chat = FakeChat(["f1 ", "is ", "it [1]"], tells=Completion(321, 5, "stop"))
    context = local(chat=chat)

    await envelope_of(context)

    (trace,) = context.traces.taken
    assert (trace.tokens_in, trace.tokens_out) == (321, 5)


async def test_an_answer_that_reaches_the_limit_of_tokens_is_told():
    chat = FakeChat(["f1 [1] is"], tells=Completion(321, 500, "length"))

    envelope = await envelope_of(local(chat=chat))

    assert envelope.limits == ("synthesis_truncated",)
    assert envelope.plan.synthesizer == "chat"


async def test_a_client_that_leaves_closes_the_models_stream():
    chat = FakeChat(["one ", "two ", "three"])
    context = local(chat=chat)
    orchestrator = AnswerOrchestrator(context)
    stream = orchestrator.answer("q")

    first = await anext(stream)
    await stream.aclose()
    orchestrator.close()

    assert first.content == "one"
    assert chat.closed
    (trace,) = context.traces.taken
    assert trace.synthesis_latency_ms >= trace.ttft_ms >= 0


async def test_no_synthesis_without_time_for_it():
    envelope = await envelope_of(local(chat=FakeChat(["f1 [1]"])), time_budget_ms=150)

    assert envelope.limits == ("synthesis_skipped",)
    assert envelope.plan.synthesizer == "extractive"


async def test_reranking_reorders_the_candidates():
    context = local(reranker=FakeReranker([0.1, 0.2, 0.9, 0.4, 0.3]))

    envelope = await envelope_of(context, top_k=2)

    assert [snippet.id for snippet in envelope.snippets] == [3, 4]
    assert envelope.plan.rerank_k == 5


@pytest.mark.parametrize("scores", [[0.5], [float("nan")] * 5])
async def test_a_reranker_that_misbehaves_leaves_the_order_alone(scores):
    envelope = await envelope_of(local(reranker=FakeReranker(scores)), top_k=2)

    assert [snippet.id for snippet in envelope.snippets] == [1, 2]
    assert envelope.limits == ("rerank_error",)


async def test_reranking_is_left_out_when_time_is_short():
    context = local(reranker=FakeReranker([0.1, 0.2, 0.9, 0.4, 0.3]))

    envelope = await envelope_of(context, top_k=2, time_budget_ms=450)

    assert [snippet.id for snippet in envelope.snippets] == [1, 2]
    assert envelope.plan.rerank_k == 0
