"""What each term of a query counts in each field, whatever engine adds it up (pure)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from codeintel_rev.retrieval.word_forms import inflections

FIELD_WEIGHTS: Mapping[str, float] = {"body": 1.0, "symbol": 0.75, "path": 1.0, "doc": 0.5}
"""How much a match in each field counts."""

MAX_TERMS = 24
"""A longer query keeps this many telling terms."""

REPOSITORY_SHARE = 0.7
"""How much of a term's weight is its rarity in the repository; the rest is that in code at large."""

BODY_WEIGHT = 1 / 3
"""What a term of a longer text counts beside one of its title."""

INFLECTION_WEIGHT = 0.4
"""What another form of a word counts beside the word itself."""

_KEPT = 1 << 16
"""Terms remembered of one state of an index: some 10 MiB, as most are inflections that no text has."""

_Found = TypeVar("_Found")


class Statistics(Protocol):
    """What an index knows of its terms."""

    @property
    def documents(self) -> int:
        """How many documents there are."""
        ...

    def frequency(self, field: str, term: str) -> int:
        """Return how many documents hold ``term`` in ``field``."""
        ...

    def holding(self, field: str) -> int:
        """Return the number of documents by which the engine's own idf of ``field`` counts."""
        ...


class Word(NamedTuple):
    """A term of a query, and how the index spells it."""

    term: str
    weight: float
    forms: tuple[str, ...]
    """The term and its inflections, as far as they occur; a word is as common as its commonest."""


class Clause(NamedTuple):
    """A term to look for in one field."""

    field: str
    term: str
    boost: float
    """What the engine's own score of the match is multiplied with."""


class _Occurrence(NamedTuple):
    """What one state of an index holds of a term."""

    commonest: int
    """Documents that hold it in the field that has it most often."""
    fields: tuple[tuple[str, float, float], ...]
    """Each field that has it, what the field counts, and the engine's own idf of the term there."""


_ABSENT = _Occurrence(0, ())


class _Spelling(NamedTuple):
    """A term of a query as one state of an index spells it."""

    idf: float
    """That of its commonest form."""
    forms: tuple[str, ...]
    """Those that occur."""


class _Memo(dict[str, _Found]):
    """What was found of each term before; emptied when full."""

    def __init__(self, find: Callable[[str], _Found]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, term: str) -> _Found:
        if len(self) >= _KEPT:
            self.clear()
        found = self[term] = self._find(term)
        return found


class TermWeights:
    """Weighs the terms of queries against one state of an index; safe to share between threads.

    A term counts ``idf_repository ** share * idf_background ** (1 - share)``: the background table
    tells what is common everywhere from what this repository is about. An engine multiplies by its
    own idf, so that the boost of a term is the wanted weight divided by the engine's.

    Each query asks for ten forms of each of its words, in four fields each; most were asked before.
    """

    def __init__(self, statistics: Statistics, background_idf: Callable[[str], float]) -> None:
        self._background_idf = background_idf
        self._occurrences = _Memo(partial(_occurrence, statistics))
        self._spellings = _Memo(partial(_spelling, self._occurrences, statistics.documents))

    def telling(self, terms: Sequence[str], title: Collection[str] | None = None) -> list[Word]:
        """Return what the query's terms may look like, the weightiest ``MAX_TERMS`` that occur."""
        words = self._words(terms, title, REPOSITORY_SHARE)
        return [word for word in words if word.forms][:MAX_TERMS]

    def comparable(self, terms: Sequence[str], title: Collection[str] | None = None) -> list[Word]:
        """Return the weightiest ``MAX_TERMS``, by what they weigh in code at large."""
        return self._words(terms, title, repository_share=0.0)[:MAX_TERMS]

    def clauses(self, words: Sequence[Word]) -> Iterator[Clause]:
        """Yield what to look for, where, and what it counts."""
        weights = {word.term: word.weight for word in words}
        for word in words:
            for form in word.forms:
                weights.setdefault(form, word.weight * INFLECTION_WEIGHT)
        for term, weight in weights.items():
            for field, field_weight, engine_idf in self._occurrences[term].fields:
                yield Clause(field, term, field_weight * weight / engine_idf)

    def _words(
        self, terms: Sequence[str], title: Collection[str] | None, repository_share: float
    ) -> list[Word]:
        """Return every term of the query, the weightiest first."""
        words = []
        for term, count in Counter(terms).items():
            spelling = self._spellings[term]
            own = spelling.idf**repository_share
            background = self._background_idf(term) ** (1.0 - repository_share)
            weight = own * background * (1.0 + math.log(count))
            stress = 1.0 if title is None or term in title else BODY_WEIGHT
            words.append(Word(term, weight * stress, spelling.forms))
        return sorted(words, key=lambda word: (-word.weight, word.term))


def _occurrence(statistics: Statistics, term: str) -> _Occurrence:
    counted = [
        (field, weight, statistics.frequency(field, term))
        for field, weight in FIELD_WEIGHTS.items()
    ]
    fields = tuple(
        (field, weight, idf(statistics.holding(field), frequency))
        for field, weight, frequency in counted
        if frequency
    )
    if not fields:
        return _ABSENT
    return _Occurrence(max(frequency for _, _, frequency in counted), fields)


def _spelling(occurrences: Mapping[str, _Occurrence], documents: int, term: str) -> _Spelling:
    found = {form: occurrences[form].commonest for form in (term, *inflections(term))}
    forms = tuple(form for form, frequency in found.items() if frequency)
    return _Spelling(idf(documents, max(found.values())), forms)


def coverage(best_score: float, words: Sequence[Word]) -> float:
    """Return a score for each unit of weight that the query has, missing terms included."""
    return best_score / math.fsum(word.weight for word in words)


def idf(documents: int, frequency: int) -> float:
    """Return ``ln(1 + (N - n + 0.5) / (n + 0.5))`` (Robertson and Walker, 1994)."""
    return math.log1p((documents - frequency + 0.5) / (frequency + 0.5))
