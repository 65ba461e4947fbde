"""The plan's tests of the answer orchestrator."""

import asyncio
from unittest import mock

import pytest

from codeintel_rev.answer.context import AnswerOptions
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.types import Scope, SearchHit
from tests.fakes.retriever import FakeContext, FakeRetriever, make_hit


@pytest.fixture
def context() -> FakeContext:
    return FakeContext(
        FakeRetriever(stored=[make_hit(n) for n in (1, 2, 3)], dense=(1, 2), lexical=(2, 3)),
        answer_options=AnswerOptions(),
    )


@pytest.fixture
def scope() -> Scope:
    return Scope()


def test_rrf_fusion(context):
    faiss_hits = [SearchHit(doc_id=1, score=0.9), SearchHit(doc_id=2, score=0.8)]
    bm25_hits = [SearchHit(doc_id=2, score=15.0), SearchHit(doc_id=3, score=12.0)]

    orchestrator = AnswerOrchestrator(context)
    fused = orchestrator._rrf_fusion(faiss_hits, bm25_hits, k=60)

    # doc_id=2 appears in both (highest RRF score)
    assert fused[0].doc_id == 2
    # Scores are RRF scores, not original
    assert 0 < fused[0].score < 1


@pytest.mark.asyncio
async def test_parallel_retrieval_timeout(context, scope):
    orchestrator = AnswerOrchestrator(context)

    # Mock FAISS to timeout
    async def slow_faiss(*args):
        await asyncio.sleep(1.0)  # Exceeds 400ms budget
        return []

    with mock.patch.object(orchestrator, "_retrieve_faiss", slow_faiss):
        limits = []
        hits = await orchestrator._retrieve_parallel("query", scope, 10, limits)

        assert "faiss_timeout" in limits
        # BM25 results still used
        assert len(hits) > 0
