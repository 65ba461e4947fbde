"""BM25 over a Lucene index that stands alone, as ``scripts/build_bm25_index.sh`` builds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codeintel_rev.errors import IndexDamaged, InvalidArgument
from codeintel_rev.retrieval.lucene_index import K1, B, LuceneIndex
from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.retrieval.term_weights import TermWeights
from codeintel_rev.text.background_idf import background_idf


@dataclass(frozen=True, slots=True)
class BM25Hit:
    """One chunk that holds words of the query."""

    doc_id: int
    """The id that the chunk was indexed with."""
    score: float
    """Greater than 0."""


class BM25Searcher:
    """Searches one Lucene index by the words of a query; safe to share between threads."""

    def __init__(self, index_dir: Path | str, *, k1: float = K1, b: float = B) -> None:
        """Open the index in ``index_dir``, which takes seconds: Java is started.

        Raises ``Unavailable`` without the extra ``lucene``, ``IndexMissing`` and ``IndexDamaged``.
        """
        self._index = LuceneIndex(Path(index_dir), k1, b)
        self._weights = TermWeights(self._index, background_idf)

    def search(self, query: str, k: int = 10) -> list[BM25Hit]:
        """Return up to ``k`` hits, best first, ties by id; none without a word that occurs.

        Raises ``InvalidArgument`` for a ``k`` below 1, ``IndexDamaged`` for unreadable files.
        """
        if k < 1:
            raise InvalidArgument(f"k is {k}", hint="ask for at least 1 hit", value=str(k))
        parsed = parse_query(query)
        words = self._weights.telling(parsed.terms, parsed.title)
        if not words:
            return []
        found = self._index.search(self._weights.clauses(words), k)
        return [BM25Hit(*hit) for hit in sorted(found, key=lambda hit: (-hit.score, hit.id))]

    def health(self) -> str:
        """Return what the index holds; raises ``IndexDamaged`` when it cannot be searched."""
        if self._index.documents == 0:
            raise IndexDamaged(
                f"the Lucene index {self._index.folder} is empty",
                hint="build it again with scripts/build_bm25_index.sh",
                value=str(self._index.folder),
            )
        self.search("health", k=1)
        return f"Lucene, {self._index.documents} documents"

    def close(self) -> None:
        """Release the files."""
        self._index.close()
