"""BM25 over the words of a repository, by Lucene as far as its index goes, and else by tantivy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.lucene_index import LuceneIndex, Scored
from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.retrieval.term_weights import Clause, TermWeights, coverage

_FETCH_GROWTH = 10
"""How much more is fetched while the mask leaves too few hits."""

_Found = tuple[NDArray[np.int64], NDArray[np.float32]]


class LuceneWords:
    """Searches rows (``LexicalIndex``); safe to share between threads.

    Lucene's index is built by compaction and holds the rows below ``end_row``; those that came
    since are looked up in ``newer``, whose scores are on the same scale.
    """

    def __init__(
        self,
        index: LuceneIndex,
        end_row: int,
        newer: TantivySearcher,
        background_idf: Callable[[str], float],
    ) -> None:
        self.end_row = end_row
        self.index = index
        self._newer = newer
        self._weights = TermWeights(index, background_idf)

    def search(
        self,
        terms: Sequence[str],
        k: int,
        mask: NDArray[np.bool_],
        title: Collection[str] | None = None,
    ) -> _Found:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row.

        Raises ``IndexDamaged`` when what was written cannot be read.
        """
        words = self._weights.telling(terms, title)
        clauses = list(self._weights.clauses(words))
        found = _arrays(self._best(clauses, k, mask) if clauses else [])
        newer = self._newer_rows(mask)
        if newer is not None:
            more = self._newer.search(terms, k, newer, title)
            found = (np.concatenate((found[0], more[0])), np.concatenate((found[1], more[1])))
        order = np.lexsort((found[0], -found[1]))[:k]
        return found[0][order], found[1][order]

    def coverage(
        self, terms: Sequence[str], mask: NDArray[np.bool_], title: Collection[str] | None = None
    ) -> float:
        """Return how well the best row holds the terms, comparable over repositories."""
        words = self._weights.comparable(terms, title)
        clauses = list(self._weights.clauses(words))
        best = self._best(clauses, 1, mask) if clauses else []
        own = coverage(max((hit.score for hit in best), default=0.0), words) if words else 0.0
        newer = self._newer_rows(mask)
        return own if newer is None else max(own, self._newer.coverage(terms, newer, title))

    def reload(self) -> None:
        """See the rows that were added since; raises ``IndexDamaged``."""
        self._newer.reload()

    def health(self) -> str:
        """Return what Lucene serves; raises ``IndexDamaged`` when it cannot be searched."""
        words = self._weights.telling(["health"])
        self.index.search(self._weights.clauses(words), 1)
        return f"Lucene, {self.index.documents} chunks"

    def _newer_rows(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """Return the mask of the rows that Lucene does not know, if there are any."""
        if not mask[self.end_row :].any():
            return None
        newer = mask.copy()
        newer[: self.end_row] = False
        return newer

    def _best(self, clauses: Sequence[Clause], k: int, mask: NDArray[np.bool_]) -> list[Scored]:
        total = self.index.documents
        limit = min(k + k // 4, total)  # some of the best may be dead or out of scope
        while True:
            hits = self.index.search(clauses, limit)
            inside = [hit for hit in hits if hit.id < len(mask) and mask[hit.id]]
            if len(inside) >= k or len(hits) < limit or limit == total:
                return inside
            limit = min(limit * _FETCH_GROWTH, total)


def _arrays(hits: Sequence[Scored]) -> _Found:
    rows = np.array([hit.id for hit in hits], dtype=np.int64)
    return rows, np.array([hit.score for hit in hits], dtype=np.float32)
