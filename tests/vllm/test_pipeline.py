"""A real repository embedded, searched, ranked and explained by a real vLLM."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from codeintel_rev.answer.prompt import build_prompt
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.model_doctor import examine_models
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import NotFound, SettingsError
from codeintel_rev.io.vllm_chat_client import VLLMChatClient
from codeintel_rev.ports import Completion
from tests.fakes.retriever import make_hit
from tests.vllm.asking import QUESTION, Configure, answered
from tests.vllm.servers import Served
from tests.vllm.test_clients import posted

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

DIM = 384
TEMPLATE_TOKENS = 64
"""What the template of a chat adds around its messages, at most."""


def test_a_real_repository_is_embedded_and_searched(index: LocalIndex) -> None:
    status = index.status()
    assert status.model["dim"] == DIM
    assert status.chunks > 200
    found = index.search(QUESTION, mode="dense", limit=10)
    assert found.limits == ()
    assert "retrieval/fusion.py" in [hit.uri for hit in found.hits]
    assert all(0.0 < (hit.scores.faiss or 0.0) <= 1.001 for hit in found.hits)


def test_an_answer_streams_and_its_citations_resolve(
    index: LocalIndex, configure: Configure, repository: Path
) -> None:
    settings = configure(VLLM_CHAT_MODEL="smollm2")
    with LocalIndex(index.data_dir, settings, near=repository) as asked:
        events = answered(asked)
    envelope = events[-1].envelope
    (trace,) = (event.trace for event in events if event.trace is not None)
    assert envelope is not None
    assert envelope.plan.synthesizer == "chat"
    assert len([event for event in events if event.content]) > 5
    assert "retrieval/fusion.py" in [snippet.uri for snippet in envelope.snippets]
    assert not re.findall(r"\[\d+\]", envelope.answer)  # each became a place, or was taken out
    held = {snippet.id for snippet in envelope.snippets}
    assert {citation.snippet_id for citation in envelope.citations} <= held
    assert all(citation.verified for citation in envelope.citations)
    assert trace["model_id"] == "smollm2"
    assert 100 < trace["tokens_in"] <= 1200 + TEMPLATE_TOKENS
    assert 1 < trace["tokens_out"] <= 48
    assert 0 < trace["ttft_ms"] < trace["synthesis_latency_ms"]
    assert trace["tps"] > 0
    assert trace["embed_latency_ms"] > 0


def test_hits_are_ordered_by_the_score_model(
    index: LocalIndex, configure: Configure, repository: Path
) -> None:
    settings = configure(VLLM_SCORE_MODEL="minilm")
    with LocalIndex(index.data_dir, settings, near=repository) as asked:
        envelope = answered(asked, limit=5)[-1].envelope
    assert envelope is not None
    assert envelope.plan.rerank_k > 5
    scores = [snippet.score for snippet in envelope.snippets]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


def test_two_hundred_long_snippets_fit_the_server_s_count_of_tokens(smollm2: Served) -> None:
    code = "\n".join(f"    total_{n} = compute(value_{n}, {n}) + offset[{n}]" for n in range(80))
    hits = [make_hit(n, f"def f{n}(value):\n{code}\n") for n in range(1, 201)]
    prompt = build_prompt("which values are computed?", hits, max_tokens=4096)
    body = {"model": "smollm2", "messages": list(prompt.messages)}
    count = json.loads(posted(f"{smollm2.url}/tokenize", body))["count"]
    assert 1000 < count <= 4096


def test_a_wrong_model_and_a_wrong_dimension_are_refused(
    configure: Configure, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("def a():\n    return 1\n")
    with pytest.raises(NotFound, match="other"):
        open_index(tmp_path, settings=configure(VLLM_EMBEDDING_MODEL="other"))
    with pytest.raises(SettingsError, match=r"VEC_DIM is 512, but .* makes vectors of 384"):
        configure(EMBEDDING_VEC_DIM="512")
    unknown = configure(EMBEDDING_MODEL_ID="ours", EMBEDDING_VEC_DIM="512")
    with pytest.raises(SettingsError, match="gives vectors of 384, 512 were configured"):
        open_index(tmp_path, settings=unknown)


def test_doctor_tells_what_each_server_is_good_for(minilm: Served, smollm2: Served) -> None:
    settings = load_settings({})
    found = {check.name: check for check in examine_models(minilm.url, settings).checks}
    assert found["embeddings"].detail == "384 dimensions"
    assert found["chat"].detail == "not served by this model"
    assert found["scores"].detail.endswith("for what does not")
    report = examine_models(smollm2.url, settings)
    assert report.ok
    found = {check.name: check for check in report.checks}
    assert "tokens/s" in found["chat"].detail
    assert found["embeddings"].detail == "not served by this model"


async def test_more_than_it_serves_at_once_wait_their_turn(smollm2: Served) -> None:
    async def ask() -> int | None:
        told = Completion()
        async with VLLMChatClient(smollm2.url, "smollm2", timeout=300.0) as client:
            words = [{"role": "user", "content": "Count to ten."}]
            async for _ in client.stream_completion(words, max_tokens=4, told=told):
                pass
        return told.tokens_out

    assert all(await asyncio.gather(*(ask() for _ in range(12))))
