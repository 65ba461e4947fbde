"""What an answer asks of the rest of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from codeintel_rev.answer.budget import RetrievalBudget
from codeintel_rev.ports import ChatModel, Clock, Reranker
from codeintel_rev.types import Mode, Scope, SearchHit, SearchResult


class Retriever(Protocol):
    """The stages of retrieval one by one, for channels that run side by side.

    Methods are synchronous, are called from threads, and may raise: a failure costs its stage.
    """

    def retrieve_dense(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return up to ``k`` nearest chunks, best first, not hydrated; ``score`` is a cosine."""
        ...

    def retrieve_lexical(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return up to ``k`` chunks by words, best first, not hydrated; ``score`` is BM25's."""
        ...

    def finish(
        self, query: str, hits: Sequence[SearchHit], scope: Scope | None, limit: int
    ) -> list[SearchHit]:
        """Return the best ``limit`` of the fused hits: ranked by what they are, and hydrated."""
        ...


class OneCallSearcher(Protocol):
    """A whole search in one call: cheaper than stages where everything is in this process."""

    def search(
        self, query: str, *, limit: int, scope: Scope | None = None, mode: Mode = "hybrid"
    ) -> SearchResult:
        """Return the best ``limit`` hits, hydrated, with what went wrong in ``limits``."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """The settings of the answer pipeline."""

    budget: RetrievalBudget = field(default_factory=RetrievalBudget)
    max_input_tokens: int = 4096
    max_output_tokens: int = 500
    temperature: float = 0.2
    confidence_threshold: float = 0.3
    """At or below it an answer is marked ``low_confidence``."""
    threads: int = 4
    """Calls that one backend may run at a time."""


class AnswerContext(Protocol):
    """The parts that an orchestrator is made of; what is ``None`` was not configured."""

    @property
    def retriever(self) -> Retriever:
        """Retrieval in stages."""
        ...

    @property
    def searcher(self) -> OneCallSearcher | None:
        """Retrieval in one call; set when every channel is local."""
        ...

    @property
    def chat(self) -> ChatModel | None:
        """The language model that writes answers."""
        ...

    @property
    def reranker(self) -> Reranker | None:
        """The model that orders candidates anew."""
        ...

    @property
    def answer_options(self) -> AnswerOptions:
        """Settings of the pipeline."""
        ...

    @property
    def clock(self) -> Clock:
        """Seconds that never go back."""
        ...

    @property
    def names_repos(self) -> bool:
        """Whether the index holds several repositories, so that places name theirs."""
        ...
