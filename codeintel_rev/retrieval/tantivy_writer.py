"""Adding rows to the lexical index."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import tantivy

from codeintel_rev.retrieval.lexical_schema import FIELDS, ROW, create_index, open_index

BULK_HEAP_BYTES = 128_000_000
SMALL_HEAP_BYTES = 15_000_000
"""tantivy's least heap; enough for a refresh and quick to set up."""


PADDING = " ."
"""A term that no text has."""


class LexicalDocument(NamedTuple):
    """One row's terms, joined by spaces, field by field."""

    row: int
    body: str
    symbol: str
    path: str
    doc: str


class TantivyWriter:
    """Appends documents; its caller holds the repository's ``writer`` lock."""

    def __init__(self, folder: Path, *, bulk: bool, create: bool = False) -> None:
        """Open the index in ``folder``, or ``create`` it; raises ``IndexDamaged``."""
        self._index = create_index(folder) if create else open_index(folder)
        heap = BULK_HEAP_BYTES if bulk else SMALL_HEAP_BYTES
        self._writer = self._index.writer(heap, 1)

    def add(self, documents: Iterable[LexicalDocument]) -> None:
        """Queue documents; ``commit`` makes them visible and durable."""
        for document in documents:
            self._writer.add_document(as_document(document))

    def commit(self) -> None:
        """Make every queued document visible and durable."""
        self._writer.commit()

    def rollback(self) -> None:
        """Drop what was queued since the last commit."""
        self._writer.rollback()

    def close(self) -> None:
        """Wait for background merges and release the writer."""
        self._writer.wait_merging_threads()


def as_document(document: LexicalDocument) -> tantivy.Document:
    """Return a row's terms as tantivy takes them."""
    made = tantivy.Document()
    made.add_integer(ROW, document.row)
    for name, terms in zip(FIELDS, document[1:], strict=True):
        if terms:
            made.add_text(name, padded(terms))
    return made


def padded(terms: str) -> str:
    """Lengthen a field to the next number of terms that tantivy keeps exactly.

    It keeps a length in a byte, rounded down. After documents were deleted it adds up what it kept,
    and the average length would depend on what had once been in the index.
    """
    length = terms.count(" ") + 1
    return terms + PADDING * (_kept_length(length) - length)


@lru_cache(maxsize=1024)
def _kept_length(length: int) -> int:
    """Return the least number from ``length`` on that tantivy's length byte can say.

    It is Lucene's: up to 40 exact, and above it, less 24, a number of four significant bits.
    """
    above = length - 24
    if above <= 16:
        return length
    step = 1 << (above.bit_length() - 4)
    return 24 + -(-above // step) * step
