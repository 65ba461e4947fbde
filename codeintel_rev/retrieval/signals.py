"""Signals that know code: what a query and each of its candidates have to do with each other (pure).

``named`` is 1 for the definition of a name that stands in the query, ``file_name`` the share of the
words of the file's name that stand in it, ``guide`` 1 for prose where somebody asks how to do something
(``how do I add a theme?``; then no chunk is a ``definition``). ``definition`` is 1 for a chunk that defines something instead
of loose statements, text and pieces of them. ``test_path`` (tests, fixtures and examples), ``prose``
and ``data`` (settings too) are 1 unless the query asks for such, ``copied`` for what was built here or
copied from another project: the code meant is elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.candidate import Candidates
from codeintel_rev.retrieval.traits import FLAGS
from codeintel_rev.retrieval.word_forms import stem

SIGNALS: Final = ("named", "file_name", "guide", *FLAGS)

_TEST_STEMS = frozenset(map(stem, ("benchmark", "example", "fixture", "mock", "spec", "test")))
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
_DATA_WORDS = (
    "build ci config configuration configure css data dependency docker flag fixture json key manifest"
    " option package pipeline property schema setting svg toml version workflow xml yaml yml"
)
_DATA_STEMS = frozenset(map(stem, _DATA_WORDS.split()))


class QueryFacts(NamedTuple):
    """What ranking asks of a query, worked out once."""

    terms: int
    """How many distinct ones it has."""
    stems: frozenset[str]
    wants_tests: bool
    wants_prose: bool
    wants_data: bool
    is_how_to: bool = False
    """Whether it asks how to do something with the code: prose tells, definitions and tests do not."""

    @property
    def wanted(self) -> list[str]:
        """The signals that tell nothing, as the query asks for such chunks."""
        wants = {
            "definition": self.is_how_to,
            "test_path": self.wants_tests,
            "prose": self.wants_prose,
            "data": self.wants_data,
        }
        return [name for name, is_wanted in wants.items() if is_wanted]


def query_facts(
    terms: Iterable[str], title: Collection[str] | None = None, *, is_how_to: bool = False
) -> QueryFacts:
    """Work out what ranking asks of a query with these terms.

    Whether it asks for tests, prose or data, its ``title`` tells: nearly every issue holds an example.
    """
    distinct = frozenset(terms)
    asked = distinct if title is None else frozenset(title)
    asked_stems = frozenset(map(stem, asked))
    return QueryFacts(
        terms=len(distinct),
        stems=frozenset(map(stem, distinct)),
        wants_tests=not is_how_to and not asked_stems.isdisjoint(_TEST_STEMS),
        wants_prose=is_how_to or not asked.isdisjoint(_PROSE_WORDS),
        wants_data=not asked_stems.isdisjoint(_DATA_STEMS),
        is_how_to=is_how_to,
    )


def signal_values(facts: QueryFacts, candidates: Candidates) -> NDArray[np.float64]:
    """Return the value of each of ``SIGNALS`` for each candidate, from 0 to 1, a row a signal."""
    values = np.empty((len(SIGNALS), len(candidates.rows)))
    values[0] = candidates.is_named
    values[1] = _file_names(facts, candidates)
    flags = candidates.traits.table["flags"].T
    values[2] = flags[FLAGS.index("prose")] if facts.is_how_to else 0.0
    values[3:] = flags
    for name in facts.wanted:
        values[SIGNALS.index(name)] = 0.0
    return values


def _file_names(facts: QueryFacts, candidates: Candidates) -> list[float]:
    files: list[int] = candidates.traits.table["file"].tolist()
    words = candidates.traits.file_words
    shares = {file: _share(words[file], facts.stems) for file in set(files)}
    return [shares[file] for file in files]


def _share(words: frozenset[str], stems: frozenset[str]) -> float:
    return len(words & stems) / len(words) if words else 0.0
