"""What becomes of an answer when the index breaks under it: a real index, opened and then harmed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.local_answers import LocalAnswerContext
from tests.fakes.retriever import ROOMY, FakeSink

CODE = '''def with_retries(call, attempts):
    """Call again after a failure."""
    for attempt in range(attempts):
        yield call(attempt)
'''
QUESTION = "how are failed calls tried again?"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    (tmp_path / "retry.py").write_text(CODE)
    with codeintel_rev.open(tmp_path) as opened:
        yield opened


def overwrite_journal(data_dir: Path) -> None:
    (journal,) = data_dir.rglob("state.sqlite")
    size = journal.stat().st_size
    for name in ("state.sqlite-wal", "state.sqlite-shm"):
        journal.with_name(name).unlink(missing_ok=True)
    with journal.open("r+b") as file:
        file.write(b"\xff" * size)


def lose_repositories(data_dir: Path) -> None:
    shutil.rmtree(data_dir / "repos")


def lose_words(data_dir: Path) -> None:
    (words,) = data_dir.glob("repos/*/lexical")
    shutil.rmtree(words)


def lose_vectors(data_dir: Path) -> None:
    (vectors,) = data_dir.glob("repos/*/vectors")
    shutil.rmtree(vectors)


@pytest.mark.parametrize(
    ("harm", "word", "is_answered"),
    [
        (overwrite_journal, "no_retrieval", False),
        (lose_repositories, "scope_empty", False),
        (lose_words, "bm25_error", True),
        (lose_vectors, "faiss_error", True),
    ],
)
async def test_an_answer_ends_in_an_envelope_and_a_trace(
    index: LocalIndex, harm: Callable[[Path], None], word: str, is_answered: bool
) -> None:
    harm(index.data_dir)
    sink = FakeSink()
    context = replace(LocalAnswerContext.of(index, sink), answer_options=ROOMY)
    orchestrator = AnswerOrchestrator(context)
    try:
        events = [event async for event in orchestrator.answer(QUESTION)]
    finally:
        orchestrator.close()

    envelope = events[-1].envelope
    assert envelope is not None
    assert word in envelope.limits
    assert bool(envelope.citations) == is_answered
    assert "`with_retries`" in envelope.answer or not is_answered
    (trace,) = sink.taken
    assert (trace.trace_id, trace.status) == (envelope.trace_id, "ok")
    assert trace.limits == envelope.limits
