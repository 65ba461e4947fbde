"""What an answer asks of the rest of the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from codeintel_rev.answer.budget import RetrievalBudget
from codeintel_rev.answer.prompt import SYSTEM
from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.ports import ChatModel, Clock, Reranker
from codeintel_rev.types import Mode, Scope, SearchHit, SearchResult, Symbol


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


class SparseRetriever(Protocol):
    """One more channel beside those of the ``Retriever``; called as its methods are."""

    def retrieve_sparse(self, query: str, scope: Scope | None, k: int) -> list[SearchHit]:
        """Return up to ``k`` chunks by implied terms, best first, not hydrated."""
        ...


class OneCallSearcher(Protocol):
    """A whole search in one call: cheaper than stages where everything is in this process."""

    def search(
        self, query: str, *, limit: int, scope: Scope | None = None, mode: Mode = "hybrid"
    ) -> SearchResult:
        """Return the best ``limit`` hits, hydrated, with what went wrong in ``limits``."""
        ...


class Lookup(NamedTuple):
    """What the index records of the places where hits stand."""

    standing: frozenset[int] = frozenset()
    """``SearchHit.doc_id`` of those that stand where they say."""
    symbols: Mapping[int, Sequence[Symbol]] = {}
    """By ``SearchHit.doc_id``, for those whose version is recorded: what is defined in them."""
    sequences: Mapping[str, int] = {}
    """How many writes each repository had seen, by its name."""
    generations: Mapping[str, int] = {}


class SourceRecord(Protocol):
    """The record of what was indexed, against which an answer checks what it cites."""

    def look_up(self, hits: Sequence[SearchHit], scope: Scope | None, *, present: bool) -> Lookup:
        """Return what is recorded of the hits; with ``present`` their files are read as well.

        Synchronous, called from a thread, and may raise.
        """
        ...


class TraceSink(Protocol):
    """Takes the record of each answer; never raises and never waits."""

    def emit(self, trace: AnswerTrace) -> None:
        """Take one record."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """The settings of the answer pipeline."""

    budget: RetrievalBudget = field(default_factory=RetrievalBudget)
    max_input_tokens: int | None = None
    """Tokens of a prompt at most; ``None`` goes by the context of the model."""
    max_output_tokens: int = 500
    temperature: float = 0.2
    confidence_threshold: float = 0.3
    """At or below it an answer is marked ``low_confidence``."""
    system_prompt: str = SYSTEM
    """The instructions to the language model."""
    redact_secrets: bool = True
    """Whether keys, tokens and passwords are kept from the language model."""
    check_files: bool = False
    """Whether citations are also checked against the present bytes of their files."""
    threads: int = 4
    """Calls that one backend may run at a time."""


class AnswerContext(Protocol):
    """The parts that an orchestrator is made of; what is ``None`` was not configured."""

    @property
    def retriever(self) -> Retriever:
        """Retrieval in stages."""
        ...

    @property
    def sparse(self) -> SparseRetriever | None:
        """The channel of a SPLADE model."""
        ...

    @property
    def searcher(self) -> OneCallSearcher | None:
        """Retrieval in one call; set when every channel is local."""
        ...

    @property
    def sources(self) -> SourceRecord | None:
        """The record that citations are checked against; without it the hits are believed."""
        ...

    @property
    def traces(self) -> TraceSink | None:
        """Where the record of each answer goes."""
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
