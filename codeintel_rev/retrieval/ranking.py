"""Signals that know code: each is a pure function of a query and a candidate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.types import ChunkHead


class Candidate(NamedTuple):
    """A fused hit before ranking."""

    head: ChunkHead
    score: float
    """Reciprocal-rank score."""


class QueryFacts(NamedTuple):
    """What the signals ask of a query, worked out once."""

    terms: frozenset[str]
    weights: Mapping[str, float]
    """How telling each term is."""
    wants_tests: bool
    wants_docs: bool


Signal = Callable[[QueryFacts, ChunkHead], float]

WEIGHTS: Mapping[str, float] = {
    "symbol": 0.9,
    "file_name": 0.6,
    "test_path": -0.45,
    "doc_path": -0.35,
    "file_evidence": 0.5,
}
"""How strongly each signal moves a score: it is multiplied by ``1 + sum(weight * signal)``."""

_TEST = re.compile(
    r"(^|/)(tests?|testing|specs?|__tests__|testdata|fixtures?|mocks?|benchmarks?|examples?|samples?|demos?)(/|$)"
    r"|(^|/)(test_[^/]*|conftest\.py|[^/]*(_test|_spec|\.test|\.spec|Tests?|Spec)\.\w+)$",
)
_DOC_LANGUAGES = frozenset({"markdown", "restructuredtext", "text", "rst", "html", "asciidoc"})
_TEST_WORDS = frozenset(
    {
        "test",
        "tests",
        "testing",
        "tested",
        "spec",
        "fixture",
        "fixtures",
        "mock",
        "example",
        "examples",
        "benchmark",
        "benchmarks",
    }
)
_DOC_WORDS = frozenset(
    {
        "readme",
        "docs",
        "documentation",
        "changelog",
        "documented",
        "tutorial",
        "guide",
        "install",
        "license",
    }
)


def query_facts(terms: Sequence[str], weight: Callable[[str], float]) -> QueryFacts:
    """Work out a query's facts; ``weight`` tells how telling a term is."""
    distinct = frozenset(terms)
    return QueryFacts(
        terms=distinct,
        weights={term: weight(term) for term in distinct},
        wants_tests=bool(distinct & _TEST_WORDS),
        wants_docs=bool(distinct & _DOC_WORDS),
    )


def symbol(facts: QueryFacts, head: ChunkHead) -> float:
    """Share of the query's weight that the defined name covers, 0 to 1."""
    return _coverage(facts, head.symbol.rpartition(".")[2] or head.symbol)


def file_name(facts: QueryFacts, head: ChunkHead) -> float:
    """Share of the query's weight that the file's name covers, 0 to 1."""
    stem = head.uri.rpartition("/")[2].rpartition(".")[0]
    return _coverage(facts, stem)


def test_path(facts: QueryFacts, head: ChunkHead) -> float:
    """1 for tests, fixtures and examples, unless the query asks for them."""
    return float(not facts.wants_tests and _TEST.search(head.uri) is not None)


def doc_path(facts: QueryFacts, head: ChunkHead) -> float:
    """1 for prose, unless the query asks for it."""
    return float(not facts.wants_docs and head.lang in _DOC_LANGUAGES)


SIGNALS: Mapping[str, Signal] = {
    "symbol": symbol,
    "file_name": file_name,
    "test_path": test_path,
    "doc_path": doc_path,
}


def rank(
    facts: QueryFacts,
    candidates: Sequence[Candidate],
    weights: Mapping[str, float] = WEIGHTS,
) -> list[tuple[Candidate, float, dict[str, float]]]:
    """Return (candidate, score, signals), best first, ties by id.

    ``file_evidence`` is the share of all fused score that lies in the candidate's file.
    """
    by_file: dict[str, float] = {}
    for candidate in candidates:
        uri = candidate.head.uri
        by_file[uri] = by_file.get(uri, 0.0) + candidate.score
    most = max(by_file.values(), default=1.0)
    ranked = []
    for candidate in candidates:
        values = {name: signal(facts, candidate.head) for name, signal in SIGNALS.items()}
        values["file_evidence"] = by_file[candidate.head.uri] / most
        factor = 1.0 + sum(weights[name] * value for name, value in values.items())
        ranked.append((candidate, candidate.score * max(factor, 0.05), values))
    ranked.sort(key=lambda item: (-item[1], item[0].head.id))
    return ranked


def _coverage(facts: QueryFacts, name: str) -> float:
    if not name:
        return 0.0
    total = sum(facts.weights.values())
    if not total:
        return 0.0
    covered = facts.terms.intersection(tokenize(name))
    return sum(facts.weights[term] for term in covered) / total
