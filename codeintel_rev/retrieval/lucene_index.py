"""A Lucene index of chunks, opened for reading."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from codeintel_rev.errors import IndexDamaged, IndexMissing
from codeintel_rev.retrieval import java
from codeintel_rev.retrieval.term_weights import Clause

K1 = 1.2
B = 0.75
"""BM25's saturation and length normalisation; those that tantivy has built in."""

FIELD_NAMES = {"body": "contents", "symbol": "symbol", "path": "path", "doc": "doc"}
"""What Lucene calls the fields of a chunk."""


class Scored(NamedTuple):
    """One document that was found."""

    id: int
    score: float


class LuceneIndex:
    """Searches for weighted terms, and tells how often terms occur (``Statistics``).

    Safe to share between threads.
    """

    def __init__(self, folder: Path, k1: float = K1, b: float = B) -> None:
        """Open the index in ``folder``.

        Raises ``Unavailable`` without the extra ``lucene``, ``IndexMissing`` and ``IndexDamaged``.
        """
        if not any(folder.glob("segments_*")):
            raise IndexMissing(
                f"{folder} holds no Lucene index",
                hint="build one with scripts/build_bm25_index.sh",
                value=str(folder),
            )
        self.folder = folder
        self._jnius = java.start()
        self._java = _Classes.load(self._jnius)
        self._scale = k1 + 1.0  # which Lucene leaves out of its scores, and tantivy does not
        with self._reading():
            self._searcher = import_module("pyserini.search.lucene").LuceneSearcher(str(folder))
            self._searcher.set_bm25(k1, b)
            self._reader = self._searcher.index_reader.reader
            self.documents = int(self._searcher.num_docs)
            self._closing = weakref.finalize(self, _close, self._searcher, self._reader)
            self._closing.atexit = False
            self._holding = {
                field: int(self._reader.getDocCount(name)) for field, name in FIELD_NAMES.items()
            }

    def frequency(self, field: str, term: str) -> int:
        """Return how many documents hold ``term`` in ``field``."""
        return int(self._reader.docFreq(self._java.term(FIELD_NAMES[field], term)))

    def holding(self, field: str) -> int:
        """Return how many documents have anything in ``field``."""
        return self._holding[field]

    def search(self, clauses: Iterable[Clause], k: int) -> list[Scored]:
        """Return up to ``k`` documents, best first; raises ``IndexDamaged``."""
        with self._reading():
            builder = self._java.boolean_query()
            for field, term, boost in clauses:
                query = self._java.term_query(self._java.term(FIELD_NAMES[field], term))
                weighted = self._java.boost_query(query, boost * self._scale)
                builder.add(weighted, self._java.should)
            hits = self._searcher.search(builder.build(), k)
            return [Scored(int(hit.docid), float(hit.score)) for hit in hits]

    def close(self) -> None:
        """Release the files, as happens when nobody holds the index any more."""
        self._closing()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except self._jnius.JavaException as error:
            raise IndexDamaged(
                f"the Lucene index {self.folder} cannot be read: {error}",
                hint="build it again: `codeintel compact`, or scripts/build_bm25_index.sh",
                value=str(self.folder),
            ) from error


def _close(searcher: Any, reader: Any) -> None:
    searcher.close()
    reader.close()


class _Classes(NamedTuple):
    """The Java classes that queries are made of."""

    term: Any
    term_query: Any
    boost_query: Any
    boolean_query: Any
    should: Any

    @classmethod
    def load(cls, jnius: Any) -> _Classes:
        utilities = jnius.autoclass("io.anserini.search.query.QueryGeneratorUtils")
        return cls(
            jnius.autoclass("org.apache.lucene.index.Term"),
            jnius.autoclass("org.apache.lucene.search.TermQuery"),
            jnius.autoclass("org.apache.lucene.search.BoostQuery"),
            utilities.getBooleanQueryBuilder,
            utilities.getBooleanClauseShould(),
        )
