"""What one answer has met so far, kept while it is made and summed up at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from codeintel_rev.answer.budget import Deadline
from codeintel_rev.answer.citations import rendered
from codeintel_rev.answer.extractive import Piece
from codeintel_rev.answer.stages import CALLERS_ERRORS, Outcome
from codeintel_rev.types import AnswerEvent, Citation, Mode

T = TypeVar("T")


@dataclass(slots=True)
class AnswerRun:
    """The state of one answer; no other answer shares it."""

    query: str
    mode: Mode
    retrieval_deadline: Deadline
    deadline: Deadline
    """For everything, synthesis included."""
    started: float
    names_repos: bool
    trace_id: str
    limits: list[str] = field(default_factory=list)
    latencies_ms: dict[str, float | None] = field(default_factory=dict)
    """By stage; ``None`` = began and did not finish."""
    citations: dict[int, Citation] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    synthesizer: str = "extractive"
    candidates: int = 0
    """Hits that each channel was asked for."""
    reranked: int = 0

    @property
    def wants_dense(self) -> bool:
        """Whether the mode looks for meaning."""
        return self.mode in ("hybrid", "dense")

    @property
    def wants_lexical(self) -> bool:
        """Whether the mode looks for words, exact names included."""
        return self.mode != "dense"

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
                if citation.n not in self.citations:
                    self.citations[citation.n] = citation
                    yield AnswerEvent("citation", citation=citation)
            text = rendered(piece, with_repo=self.names_repos)
        self.text.append(text)
        yield AnswerEvent("token", content=text)

    def trace(self) -> dict[str, Any]:
        """Return the trace id and the latencies in milliseconds, ``<stage>_latency_ms``."""
        clock = self.deadline.clock
        latencies = {f"{stage}_latency_ms": ms for stage, ms in self.latencies_ms.items()}
        return (
            {"trace_id": self.trace_id}
            | latencies
            | {"total_latency_ms": (clock() - self.started) * 1000}
        )
