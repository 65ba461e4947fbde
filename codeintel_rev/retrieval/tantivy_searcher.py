"""BM25 over the lexical index, with our own inverse document frequency."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from codeintel_rev.retrieval.lexical_schema import ROW, open_index

FIELD_WEIGHTS: Mapping[str, float] = {"body": 1.0, "symbol": 0.6, "path": 0.5, "doc": 0.3}
"""How much a match in each field counts."""

MAX_TERMS = 16
"""A longer query keeps this many telling terms."""

_FETCHES = (100, 1_000, 10_000)
"""How many hits are fetched while the mask leaves too few of them."""


class TantivySearcher:
    """BM25 search (``LexicalIndex``).

    A term counts ``sqrt(idf_repo * idf_background)``: the background table keeps a ranking from
    depending on what else is in the index. tantivy multiplies by its own idf, so that the boost
    of a term is the wanted weight divided by tantivy's.
    """

    def __init__(self, folder: Path, background_idf: Callable[[str], float]) -> None:
        self._index = open_index(folder)
        self._background_idf = background_idf

    def reload(self) -> None:
        """See every commit made so far."""
        self._index.reload()

    def search(
        self, terms: Sequence[str], k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row."""
        searcher = self._index.searcher()
        weights = self.telling_terms(searcher, terms)
        query = self._query(searcher, weights)
        if query is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        total = searcher.num_docs
        for limit in (*_FETCHES, total):
            if limit < k and limit < total:
                continue
            hits = searcher.search(query, limit, count=False).hits
            values = searcher.fast_field_values(ROW, [address for _, address in hits])
            rows = np.array(values, dtype=np.int64)
            scores = np.array([score for score, _ in hits], dtype=np.float32)
            inside = rows < len(mask)
            inside[inside] = mask[rows[inside]]
            if inside.sum() >= k or len(hits) < limit or limit >= total:
                break
        rows, scores = rows[inside], scores[inside]
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], scores[order]

    def telling_terms(
        self, searcher: tantivy.Searcher, terms: Sequence[str]
    ) -> list[tuple[str, float]]:
        """Return the query's terms with their weights, the rarest ``MAX_TERMS`` of them."""
        counts = Counter(terms)
        documents = searcher.num_docs
        weighted = []
        for term, count in counts.items():
            frequency = max(searcher.doc_freq(field, term) for field in FIELD_WEIGHTS)
            if frequency:
                idf = math.sqrt(_idf(documents, frequency) * self._background_idf(term))
                weighted.append((term, idf * (1.0 + math.log(count))))
        weighted.sort(key=lambda pair: (-pair[1], pair[0]))
        return weighted[:MAX_TERMS]

    def _query(
        self, searcher: tantivy.Searcher, weights: list[tuple[str, float]]
    ) -> tantivy.Query | None:
        documents = searcher.num_docs
        schema = self._index.schema
        clauses = []
        for term, weight in weights:
            for field, field_weight in FIELD_WEIGHTS.items():
                frequency = searcher.doc_freq(field, term)
                if frequency:
                    boost = field_weight * weight / _idf(documents, frequency)
                    term_query = tantivy.Query.term_query(schema, field, term, "freq")
                    boosted = tantivy.Query.boost_query(term_query, boost)
                    clauses.append((tantivy.Occur.Should, boosted))
        return tantivy.Query.boolean_query(clauses) if clauses else None


def _idf(documents: int, frequency: int) -> float:
    """Return tantivy's idf: ``ln(1 + (N - n + 0.5) / (n + 0.5))`` (Robertson and Walker, 1994)."""
    return math.log1p((documents - frequency + 0.5) / (frequency + 0.5))
