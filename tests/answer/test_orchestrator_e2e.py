"""From a question to its trace, through a real index, with the extractive synthesizer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.local_answers import LocalAnswerContext
from codeintel_rev.types import AnswerEvent
from tests.fakes.retriever import ROOMY, FakeSink

TOPICS = ("invoice", "basket", "voucher", "parcel", "refund", "stock", "customer", "payment")
VERBS = ("create", "load", "store", "cancel", "archive", "print", "count", "merge", "split", "lock")


def module(topic: str) -> str:
    """Return a module of ten functions, each a chunk of its own."""
    parts = [f'"""Everything about one {topic}."""\n']
    for verb in VERBS:
        body = "\n".join(f"    step_{n} = {topic}.{verb}_step({n})" for n in range(12))
        parts.append(
            f"def {verb}_{topic}({topic}):\n"
            f'    """{verb.title()} the {topic}, step by step."""\n{body}\n    return step_11\n'
        )
    return "\n\n".join(parts)


RETRY = '''"""Calling again what failed."""

import time


class GaveUp(Exception):
    """Raised when every attempt failed."""


def with_retries(call, attempts):
    """Call again after a failure, waiting twice as long each time."""
    for attempt in range(attempts):
        try:
            return call()
        except OSError:
            time.sleep(0.1 * 2**attempt)
    raise GaveUp(f"gave up after {attempts} attempts to reach the warehouse")
'''

ORDERS = '''"""Orders that go to the warehouse."""

from shop.retry import with_retries


def send_order(order, warehouse):
    """Hand an order to the warehouse."""
    return with_retries(lambda: warehouse.post(order), attempts=5)
'''


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndex]:
    """An index of about a hundred chunks."""
    root = tmp_path_factory.mktemp("shop")
    files = {f"shop/{topic}.py": module(topic) for topic in TOPICS}
    files |= {"shop/retry.py": RETRY, "shop/orders.py": ORDERS}
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    with codeintel_rev.open(root) as opened:
        assert 80 <= opened.status().chunks <= 150
        yield opened


async def ask(index: LocalIndex, question: str) -> tuple[list[AnswerEvent], FakeSink]:
    sink = FakeSink()
    context = replace(LocalAnswerContext.of(index, sink), answer_options=ROOMY)
    orchestrator = AnswerOrchestrator(context)
    try:
        return [event async for event in orchestrator.answer(question, session_id="s1")], sink
    finally:
        orchestrator.close()


async def test_an_answer_says_what_the_code_says_and_cites_the_right_lines(index: LocalIndex):
    events, _ = await ask(index, "how are failed calls to the warehouse tried again?")

    envelope = events[-1].envelope
    assert envelope is not None
    assert "`with_retries`" in envelope.answer
    assert "Call again after a failure, waiting twice as long each time." in envelope.answer
    first = envelope.citations[0]
    lines = RETRY.splitlines()[first.start_line - 1 : first.end_line]
    assert (first.uri, lines[0]) == ("shop/retry.py", "def with_retries(call, attempts):")
    assert all(citation.verified for citation in envelope.citations)
    assert "shop/orders.py" in {citation.uri for citation in envelope.citations}
    assert envelope.limits == ()
    assert envelope.plan.retrieval == "hybrid-rrf"
    assert envelope.confidence > 0.3


async def test_a_message_is_traced_to_the_line_that_raises_it(index: LocalIndex):
    events, _ = await ask(index, "GaveUp: gave up after 5 attempts to reach the warehouse")

    envelope = events[-1].envelope
    assert envelope is not None
    assert envelope.answer.startswith("This text is raised in the function `with_retries`")
    line = RETRY.splitlines().index(
        '    raise GaveUp(f"gave up after {attempts} attempts to reach the warehouse")'
    )
    cited = envelope.citations[0]
    assert (cited.uri, cited.start_line, cited.end_line) == ("shop/retry.py", line + 1, line + 1)


async def test_a_question_about_something_else_is_not_answered(index: LocalIndex):
    events, _ = await ask(index, "how does the compiler allocate registers for vector loops?")

    envelope = events[-1].envelope
    assert envelope is not None
    assert envelope.answer.startswith("I found nothing in the index that answers")
    assert envelope.limits == ("no_evidence",)
    assert envelope.low_confidence
    assert envelope.citations


async def test_the_trace_tells_every_stage_that_ran(index: LocalIndex):
    events, sink = await ask(index, "where is an order sent to the warehouse?")

    envelope = events[-1].envelope
    (trace,) = sink.taken
    assert envelope is not None
    assert (trace.trace_id, trace.session_id) == (envelope.trace_id, "s1")
    assert (trace.query, trace.mode) == (envelope.query, "hybrid")
    stages = ("embed", "faiss", "bm25", "fusion", "hydration", "total")
    assert all(getattr(trace, f"{stage}_latency_ms") > 0 for stage in stages)
    assert trace.rerank_latency_ms is trace.synthesis_latency_ms is trace.model_id is None
    assert trace.top_k_doc_ids == tuple(snippet.id for snippet in envelope.snippets)
    assert set(trace.cited_doc_ids) == {citation.snippet_id for citation in envelope.citations}
    assert trace.sequence.startswith('{"')
    assert (trace.confidence, trace.limits) == (envelope.confidence, envelope.limits)
    assert (trace.status, trace.error, trace.stale) == ("ok", None, False)
    (told,) = [event.trace for event in events if event.trace]
    assert told["trace_id"] == trace.trace_id
    assert told["top_k_doc_ids"] == [str(number) for number in trace.top_k_doc_ids]
    assert json.loads(json.dumps(told)) == told


async def test_a_file_that_changed_since_is_cited_without_being_called_verified(tmp_path: Path):
    (tmp_path / "retry.py").write_text(RETRY, encoding="utf-8")
    with codeintel_rev.open(tmp_path) as index:
        (tmp_path / "retry.py").write_text("def something_else(): ...\n", encoding="utf-8")

        events, sink = await ask(index, "how are failed calls to the warehouse tried again?")

    envelope = events[-1].envelope
    assert envelope is not None
    assert envelope.citations
    assert not any(citation.verified for citation in envelope.citations)
    assert sink.taken[0].stale


async def test_text_that_moved_in_its_file_is_cited_where_it_stands_now(tmp_path: Path):
    (tmp_path / "retry.py").write_text(RETRY, encoding="utf-8")
    with codeintel_rev.open(tmp_path) as index:
        (tmp_path / "retry.py").write_text("# new first line\n" + RETRY, encoding="utf-8")

        events, _ = await ask(index, "what does with_retries do?")

    envelope = events[-1].envelope
    assert envelope is not None
    lines = ("# new first line\n" + RETRY).splitlines()
    first = envelope.citations[0]
    assert first.verified
    assert lines[first.start_line - 1] == "def with_retries(call, attempts):"


async def test_a_name_with_its_owner_is_told_from_its_namesakes(tmp_path: Path):
    for topic in TOPICS:
        body = "\n".join(f"        self.step_{n}({topic})" for n in range(12))
        (tmp_path / f"{topic}.py").write_text(
            f"class {topic.title()}Drawer:\n    def shut(self, {topic}):\n{body}\n"
        )
    with codeintel_rev.open(tmp_path) as opened:
        for topic in TOPICS[:3]:
            name = f"{topic.title()}Drawer"
            events, _ = await ask(opened, f"what does {name}::shut do?")
            envelope = events[-1].envelope
            assert envelope is not None
            assert f"the method `shut` ({topic}.py:2-14)" in envelope.answer
