"""BM25 over the lexical index, with our own inverse document frequency."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy
from numpy.typing import NDArray

from codeintel_rev.retrieval.lexical_schema import ROW, open_index, reading
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

_FETCH_GROWTH = 10
"""How much more is fetched while the mask leaves too few hits."""


class Word(NamedTuple):
    """A term of a query, and how the index spells it."""

    term: str
    weight: float
    forms: tuple[str, ...]
    """The term and its inflections, as far as they occur; a word is as common as its commonest."""


class TantivySearcher:
    """BM25 search (``LexicalIndex``).

    A term counts ``idf_repository ** share * idf_background ** (1 - share)``: the background table
    tells what is common everywhere from what this repository is about. tantivy multiplies by its
    own idf, so that the boost of a term is the wanted weight divided by tantivy's.
    """

    def __init__(self, folder: Path, background_idf: Callable[[str], float]) -> None:
        """Open the index in ``folder``; raises ``IndexDamaged`` when it cannot be read."""
        self._folder = folder
        self._index = open_index(folder)
        self._background_idf = background_idf
        self.reload()

    def reload(self) -> None:
        """See every commit made so far; raises ``IndexDamaged``."""
        with reading(self._folder):
            self._index.reload()
            self._index.searcher()

    def search(
        self,
        terms: Sequence[str],
        k: int,
        mask: NDArray[np.bool_],
        title: Collection[str] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row.

        Terms outside ``title``, if there is one, count less.

        Raises ``IndexDamaged`` when what was written cannot be read.
        """
        with reading(self._folder):
            searcher = self._index.searcher()
            query = self._query(searcher, self.telling_words(searcher, terms, title))
            if query is None:
                return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
            return _best(searcher, query, k, mask)

    def coverage(
        self, terms: Sequence[str], mask: NDArray[np.bool_], title: Collection[str] | None = None
    ) -> float:
        """Return the best row's score for each unit of weight that the query has.

        Terms weigh what they weigh in code at large, and those that occur nowhere here count as
        missing, so that repositories compare.

        Raises ``IndexDamaged`` when what was written cannot be read.
        """
        with reading(self._folder):
            searcher = self._index.searcher()
            words = self._words(searcher, terms, title, repository_share=0.0)[:MAX_TERMS]
            query = self._query(searcher, words)
            if query is None:
                return 0.0
            _, scores = _best(searcher, query, 1, mask)
            return float(scores.max(initial=0.0)) / math.fsum(word.weight for word in words)

    def telling_words(
        self, searcher: tantivy.Searcher, terms: Sequence[str], title: Collection[str] | None = None
    ) -> list[Word]:
        """Return what the query's terms may look like, the weightiest ``MAX_TERMS`` that occur."""
        words = self._words(searcher, terms, title, REPOSITORY_SHARE)
        return [word for word in words if word.forms][:MAX_TERMS]

    def _words(
        self,
        searcher: tantivy.Searcher,
        terms: Sequence[str],
        title: Collection[str] | None,
        repository_share: float,
    ) -> list[Word]:
        """Return every term of the query, the weightiest first."""
        words = []
        for term, count in Counter(terms).items():
            frequencies = {form: _frequency(searcher, form) for form in (term, *inflections(term))}
            own = _idf(searcher.num_docs, max(frequencies.values())) ** repository_share
            background = self._background_idf(term) ** (1.0 - repository_share)
            forms = tuple(form for form, found in frequencies.items() if found)
            weight = own * background * (1.0 + math.log(count))
            stress = 1.0 if title is None or term in title else BODY_WEIGHT
            words.append(Word(term, weight * stress, forms))
        return sorted(words, key=lambda word: (-word.weight, word.term))

    def _query(self, searcher: tantivy.Searcher, words: Sequence[Word]) -> tantivy.Query | None:
        weights = {word.term: word.weight for word in words}
        for word in words:
            for form in word.forms:
                weights.setdefault(form, word.weight * INFLECTION_WEIGHT)
        clauses = [
            clause
            for term, weight in weights.items()
            for clause in self._clauses(searcher, term, weight)
        ]
        return tantivy.Query.boolean_query(clauses) if clauses else None

    def _clauses(
        self, searcher: tantivy.Searcher, term: str, weight: float
    ) -> Iterator[tuple[tantivy.Occur, tantivy.Query]]:
        for field, field_weight in FIELD_WEIGHTS.items():
            frequency = searcher.doc_freq(field, term)
            if frequency:
                boost = field_weight * weight / _idf(searcher.num_docs, frequency)
                query = tantivy.Query.term_query(self._index.schema, field, term, "freq")
                yield tantivy.Occur.Should, tantivy.Query.boost_query(query, boost)


def _best(
    searcher: tantivy.Searcher, query: tantivy.Query, k: int, mask: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    total = searcher.num_docs
    limit = min(k + k // 4, total)  # some of the best may be dead or out of scope
    while True:
        hits = searcher.search(query, limit, count=False).hits
        values = searcher.fast_field_values(ROW, [address for _, address in hits])
        rows = np.array(values, dtype=np.int64)
        scores = np.array([score for score, _ in hits], dtype=np.float32)
        inside = rows < len(mask)
        inside[inside] = mask[rows[inside]]
        if inside.sum() >= k or len(hits) < limit or limit == total:
            break
        limit = min(limit * _FETCH_GROWTH, total)
    rows, scores = rows[inside], scores[inside]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def _frequency(searcher: tantivy.Searcher, term: str) -> int:
    """Return in how many chunks ``term`` stands in the field that has it most often."""
    return max(searcher.doc_freq(field, term) for field in FIELD_WEIGHTS)


def _idf(documents: int, frequency: int) -> float:
    """Return tantivy's idf: ``ln(1 + (N - n + 0.5) / (n + 0.5))`` (Robertson and Walker, 1994)."""
    return math.log1p((documents - frequency + 0.5) / (frequency + 0.5))
