"""Signals that know code: each is a pure function of a query and its candidates, from 0 to 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from codeintel_rev.retrieval.candidate import Candidate
from codeintel_rev.retrieval.word_forms import stem
from codeintel_rev.text.code_tokenizer import tokenize

_TEST = re.compile(
    r"(^|/)(tests?|testing|specs?|__tests__|testdata|fixtures?|mocks?|benchmarks?|examples?|samples?|demos?)(/|$)"
    r"|(^|/)(test_[^/]*|conftest\.py|[^/]*(_test|_spec|\.test|\.spec|Tests?|Spec)\.\w+)$",
)
_COPIED = re.compile(
    r"(^|/)(dist|vendor(ed)?|_vendor|third[_-]?party|3rdparty|node_modules|bower_components|googletest|gtest|gmock)(/|$)"
    r"|^deps/|(^|/)jquery[-.\d][^/]*$|\.min\.",
)
_TEST_STEMS = frozenset(map(stem, ("benchmark", "example", "fixture", "mock", "spec", "test")))
_PROSE = frozenset(["asciidoc", "html", "markdown", "restructuredtext", "rst", "text"])
_PROSE_WORDS = frozenset(
    [
        "changelog",
        "docs",
        "documentation",
        "documented",
        "guide",
        "install",
        "license",
        "readme",
        "tutorial",
    ]
)
_DATA = frozenset(["config", "css", "csv", "ignore", "json", "svg", "toml", "xml", "yaml"])
_DATA_WORDS = (
    "build ci config configuration configure css data dependency docker flag fixture json key manifest"
    " option package pipeline property schema setting svg toml version workflow xml yaml yml"
)
_DATA_STEMS = frozenset(map(stem, _DATA_WORDS.split()))
_NO_DEFINITION = frozenset({"", "block", "lines", "section"})


class QueryFacts(NamedTuple):
    """What ranking asks of a query, worked out once."""

    terms: int
    """How many distinct ones it has."""
    stems: frozenset[str]
    wants_tests: bool
    wants_prose: bool
    wants_data: bool


Signal = Callable[[QueryFacts, Sequence[Candidate]], list[float]]
"""A query and its candidates to one value each; a column is far cheaper than a call a chunk."""


def query_facts(terms: Iterable[str], title: Collection[str] | None = None) -> QueryFacts:
    """Work out what ranking asks of a query with these terms.

    Whether it asks for tests, prose or data, its ``title`` tells: nearly every issue holds an example.
    """
    distinct = frozenset(terms)
    asked = distinct if title is None else frozenset(title)
    asked_stems = frozenset(map(stem, asked))
    return QueryFacts(
        terms=len(distinct),
        stems=frozenset(map(stem, distinct)),
        wants_tests=not asked_stems.isdisjoint(_TEST_STEMS),
        wants_prose=not asked.isdisjoint(_PROSE_WORDS),
        wants_data=not asked_stems.isdisjoint(_DATA_STEMS),
    )


def named(_: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """1 for the definition of a name that stands in the query."""
    return [float(candidate.is_named) for candidate in candidates]


def file_name(facts: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """Share of the words of the file's name that stand in the query."""
    names = [_file_words(candidate.head.uri) for candidate in candidates]
    return [len(words & facts.stems) / len(words) if words else 0.0 for words in names]


def definition(_: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """1 for a chunk that defines something, 0 for loose statements, text and pieces of them."""
    heads = [candidate.head for candidate in candidates]
    return [float(bool(head.symbol) and head.kind not in _NO_DEFINITION) for head in heads]


def test_path(facts: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """1 for tests, fixtures and examples, unless the query asks for them."""
    if facts.wants_tests:
        return [0.0] * len(candidates)
    return [float(_is_test(candidate.head.uri)) for candidate in candidates]


def prose(facts: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """1 for prose, unless the query asks for it."""
    if facts.wants_prose:
        return [0.0] * len(candidates)
    return [float(candidate.head.lang in _PROSE) for candidate in candidates]


def data(facts: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """1 for settings and data, unless the query asks for some."""
    if facts.wants_data:
        return [0.0] * len(candidates)
    return [float(candidate.head.lang in _DATA) for candidate in candidates]


def copied(_: QueryFacts, candidates: Sequence[Candidate]) -> list[float]:
    """1 for what was built here or copied from another project: the code meant is elsewhere."""
    return [float(_is_copied(candidate.head.uri)) for candidate in candidates]


SIGNALS: Mapping[str, Signal] = {
    signal.__name__: signal
    for signal in (named, file_name, definition, test_path, prose, data, copied)
}


@lru_cache(maxsize=1 << 14)
def _is_test(uri: str) -> bool:
    return _TEST.search(uri) is not None


@lru_cache(maxsize=1 << 14)
def _is_copied(uri: str) -> bool:
    return _COPIED.search(uri) is not None


@lru_cache(maxsize=1 << 14)
def _file_words(uri: str) -> frozenset[str]:
    name = uri.rpartition("/")[2]
    return frozenset(map(stem, tokenize(name.rpartition(".")[0] or name)))
