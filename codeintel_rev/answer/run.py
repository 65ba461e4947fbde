"""What one answer has met so far, kept while it is made and summed up at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from codeintel_rev.answer.budget import Deadline
from codeintel_rev.answer.chat import ChatSynthesis
from codeintel_rev.answer.citations import rendered
from codeintel_rev.answer.context import Lookup
from codeintel_rev.answer.evidence import NO_HITS, Evidence
from codeintel_rev.answer.extractive import Piece
from codeintel_rev.answer.question import Question
from codeintel_rev.answer.stages import CALLERS_ERRORS, Outcome
from codeintel_rev.observability.answer_trace import (
    AnswerTrace,
    json_map,
    new_trace_id,
    scope_text,
)
from codeintel_rev.types import (
    AnswerEvent,
    AnswerPlan,
    Citation,
    Mode,
    Scope,
    SearchHit,
    Symbol,
)

T = TypeVar("T")


@dataclass(slots=True)
class AnswerRun:
    """The state of one answer; no other answer shares it."""

    question: Question
    scope: Scope | None
    mode: Mode
    retrieval_deadline: Deadline
    deadline: Deadline
    """For everything, synthesis included."""
    started: float
    names_repos: bool
    session_id: str | None = None
    trace_id: str = field(default_factory=new_trace_id)
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    limits: list[str] = field(default_factory=list)
    latencies_ms: dict[str, float | None] = field(default_factory=dict)
    """By stage; ``None`` = began and did not finish."""
    citations: dict[tuple[str, str, int, int], Citation] = field(default_factory=dict)
    """By place, in the order of their first mention, which numbers them."""
    text: list[str] = field(default_factory=list)
    retrieval: str = "failed"
    synthesizer: str = "extractive"
    candidates: int = 0
    """Hits that each channel was asked for."""
    top_k: list[int] = field(default_factory=list)
    """Ids of the best hits of the retrieval."""
    reranked: list[int] = field(default_factory=list)
    lookup: Lookup = field(default_factory=Lookup)
    evidence: Evidence = NO_HITS
    synthesis: ChatSynthesis | None = None
    confidence: float = 0.0
    is_stale: bool = False
    is_delivered: bool = False
    """Whether the envelope went out."""
    error: str | None = None
    _trace: AnswerTrace | None = None

    @property
    def query(self) -> str:
        """The question as it was asked."""
        return self.question.text

    @property
    def symbols(self) -> Mapping[int, Sequence[Symbol]]:
        """What is defined in the hits, by ``SearchHit.doc_id``."""
        return self.lookup.symbols

    @property
    def wants_dense(self) -> bool:
        """Whether the mode looks for meaning."""
        return self.mode in ("hybrid", "dense")

    @property
    def wants_lexical(self) -> bool:
        """Whether the mode looks for words, exact names included."""
        return self.mode != "dense"

    @property
    def wants_sparse(self) -> bool:
        """Whether the mode looks for implied terms."""
        return self.mode == "hybrid"

    def limit(self, *words: str) -> None:
        """Note limit words, each once."""
        self.limits.extend(word for word in dict.fromkeys(words) if word not in self.limits)

    def settle(self, stage: str, outcome: Outcome[T]) -> T | None:
        """Return a stage's value and note how it ended, with a limit word if it ended badly.

        Raises:
            InvalidArgument: the caller asked for something that no stage can do.
            NotFound: the scope names what does not exist.
            ScopeEmpty: the scope selects no file.

        """
        word = outcome.limit_word(stage)
        if word:
            self.limit(word)
        return self.value_of(stage, outcome)

    def value_of(self, stage: str, outcome: Outcome[T]) -> T | None:
        """Return a stage's value and note its time; a bad end is left to the next attempt.

        Raises:
            InvalidArgument: the caller asked for something that no stage can do.
            NotFound: the scope names what does not exist.
            ScopeEmpty: the scope selects no file.

        """
        if isinstance(outcome.error, CALLERS_ERRORS):
            raise outcome.error
        self.latencies_ms[stage] = outcome.latency_ms
        return outcome.value

    def say(self, piece: Piece) -> Iterator[AnswerEvent]:
        """Yield the events of a piece: a citation goes out once, before the text that names it."""
        if isinstance(piece, str):
            text = piece
        else:
            for citation in piece:
                key = (citation.repo, citation.uri, citation.start_line, citation.end_line)
                if key not in self.citations:
                    numbered = replace(citation, n=len(self.citations) + 1)
                    self.citations[key] = numbered
                    yield AnswerEvent("citation", citation=numbered)
            text = rendered(piece, with_repo=self.names_repos)
        self.text.append(text)
        yield AnswerEvent("token", content=text)

    def take_lookup(self, hits: Sequence[SearchHit], found: Lookup) -> list[SearchHit]:
        """Keep what the record says of the hits; return them, stale where it does not hold them."""
        self.lookup = found
        return [hit if hit.doc_id in found.standing else replace(hit, stale=True) for hit in hits]

    def take_synthesis(self, synthesis: ChatSynthesis) -> None:
        """Keep how the language model's completion went."""
        self.synthesis = synthesis
        self.latencies_ms["synthesis"] = synthesis.latency_ms
        self.limit(*synthesis.limits)
        if self.synthesizer == "chat" and not synthesis.cited:
            self.limit("citation_missing")

    def finish(self, hits: Sequence[SearchHit], trust: float) -> None:
        """Note how the answer ended."""
        self.confidence = trust
        self.is_stale = "stale_index" in self.limits or any(hit.stale for hit in hits)

    def fail(self, error: BaseException) -> None:
        """Note that the answer was given up: by its caller, or by an error of theirs.

        A caller who leaves with the envelope in hand gave up nothing.
        """
        if self.is_delivered:
            return
        gone = isinstance(error, (GeneratorExit, asyncio.CancelledError))
        self.error = "the client went away" if gone else f"{type(error).__name__}: {error}"

    def plan(self, max_output_tokens: int) -> AnswerPlan:
        """Return how the answer came to be."""
        return AnswerPlan(
            retrieval=self.retrieval,
            synthesizer=self.synthesizer,
            k_faiss=self.candidates if self.wants_dense else 0,
            k_bm25=self.candidates if self.wants_lexical else 0,
            rerank_k=len(self.reranked),
            synth_tokens=max_output_tokens if self.synthesizer == "chat" else 0,
        )

    def trace(self) -> AnswerTrace:
        """Return the record of the answer; made once, when it ended."""
        if self._trace is None or self.error is not None:
            self._trace = self._made_trace()
        return self._trace

    def _made_trace(self) -> AnswerTrace:
        synthesis, ms = self.synthesis, self.latencies_ms
        return AnswerTrace(
            trace_id=self.trace_id,
            session_id=self.session_id,
            timestamp=self.timestamp,
            query=_encodable(self.query),
            scope=scope_text(self.scope),
            mode=self.mode,
            retrieval=self.retrieval,
            synthesizer=self.synthesizer,
            generation=json_map(self.lookup.generations),
            sequence=json_map(self.lookup.sequences),
            stale=self.is_stale,
            embed_latency_ms=ms.get("embed"),
            faiss_latency_ms=ms.get("faiss"),
            bm25_latency_ms=ms.get("bm25"),
            splade_latency_ms=ms.get("splade"),
            fusion_latency_ms=ms.get("fusion"),
            hydration_latency_ms=ms.get("hydration"),
            rerank_latency_ms=ms.get("rerank"),
            synthesis_latency_ms=ms.get("synthesis"),
            total_latency_ms=(self.deadline.clock() - self.started) * 1000,
            candidates=self.candidates,
            top_k_doc_ids=tuple(self.top_k),
            reranked_doc_ids=tuple(self.reranked),
            cited_doc_ids=tuple(dict.fromkeys(c.snippet_id for c in self.citations.values())),
            model_id=synthesis.model_id if synthesis else None,
            tokens_in=synthesis.tokens_in if synthesis else None,
            tokens_out=synthesis.tokens_out if synthesis else None,
            ttft_ms=synthesis.ttft_ms if synthesis else None,
            tps=synthesis.tps if synthesis else None,
            confidence=self.confidence,
            limits=tuple(self.limits),
            status="error" if self.error else "ok",
            error=None if self.error is None else _encodable(self.error),
            cited_files=tuple(dict.fromkeys(f"{c.repo}:{c.uri}" for c in self.citations.values())),
        )


def _encodable(text: str) -> str:
    """Return the text with halves of characters, which no file format takes, replaced."""
    return text.encode("utf-8", "replace").decode()
