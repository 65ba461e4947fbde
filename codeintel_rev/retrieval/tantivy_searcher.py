"""BM25 over the lexical index, with our own inverse document frequency."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tantivy
from numpy.typing import NDArray

from codeintel_rev.retrieval.lexical_schema import ROW, open_index, reading
from codeintel_rev.retrieval.term_weights import Clause, TermWeights, coverage

_FETCH_GROWTH = 10
"""How much more is fetched while the mask leaves too few hits."""


class TantivySearcher:
    """BM25 search (``LexicalIndex``)."""

    def __init__(
        self, folder: Path, background_idf: Callable[[str], float], first_row: int = 0
    ) -> None:
        """Open the index in ``folder``, to search it from ``first_row`` on.

        Raises ``IndexDamaged`` when it cannot be read.
        """
        self._folder = folder
        self._index = open_index(folder)
        self._background_idf = background_idf
        self._first_row = first_row
        self.reload()

    def reload(self) -> None:
        """See every commit made so far; raises ``IndexDamaged``."""
        with reading(self._folder):
            self._index.reload()
            self._seen = _Seen.of(self._index.searcher(), self._background_idf)

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
            searcher, weights = self._seen
            query = self._query(weights.clauses(weights.telling(terms, title)))
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
            searcher, weights = self._seen
            words = weights.comparable(terms, title)
            query = self._query(weights.clauses(words))
            if query is None:
                return 0.0
            _, scores = _best(searcher, query, 1, mask)
            return coverage(float(scores.max(initial=0.0)), words)

    def health(self) -> str:
        """Return what is searched; raises ``IndexDamaged``."""
        with reading(self._folder):
            return f"tantivy, {self._seen.searcher.num_docs} chunks"

    def _query(self, clauses: Iterable[Clause]) -> tantivy.Query | None:
        schema = self._index.schema
        wanted = [
            tantivy.Query.boost_query(tantivy.Query.term_query(schema, field, term, "freq"), boost)
            for field, term, boost in clauses
        ]
        if not wanted:
            return None
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, clause) for clause in wanted])
        return query if self._first_row == 0 else self._from_first_row(query)

    def _from_first_row(self, query: tantivy.Query) -> tantivy.Query:
        rows = tantivy.Query.range_query(
            self._index.schema, ROW, tantivy.FieldType.Integer, self._first_row, None
        )
        filtered = tantivy.Query.const_score_query(rows, 0.0)
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, query), (tantivy.Occur.Must, filtered)]
        )


class _Statistics:
    """What one state of an index knows of its terms (``Statistics``)."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.documents: int = searcher.num_docs
        self.frequency = searcher.doc_freq

    def holding(self, _field: str) -> int:
        """Return the number of all documents: tantivy's idf counts them for every field."""
        return self.documents


class _Seen(NamedTuple):
    """One state of an index, and what terms weigh in it."""

    searcher: tantivy.Searcher
    weights: TermWeights

    @classmethod
    def of(cls, searcher: tantivy.Searcher, background_idf: Callable[[str], float]) -> _Seen:
        """Return the state that ``searcher`` sees."""
        return cls(searcher, TermWeights(_Statistics(searcher), background_idf))


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
