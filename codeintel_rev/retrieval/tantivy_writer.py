"""Adding rows to the lexical index."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tantivy

from codeintel_rev.retrieval.lexical_schema import create_index, open_index

BULK_HEAP_BYTES = 128_000_000
SMALL_HEAP_BYTES = 15_000_000
"""tantivy's least heap; enough for a refresh and quick to set up."""


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
        for row, body, symbol, path, doc in documents:
            document = tantivy.Document()
            document.add_integer("row", row)
            document.add_text("body", body)
            document.add_text("symbol", symbol)
            document.add_text("path", path)
            if doc:
                document.add_text("doc", doc)
            self._writer.add_document(document)

    def commit(self) -> None:
        """Make every queued document visible and durable."""
        self._writer.commit()

    def rollback(self) -> None:
        """Drop what was queued since the last commit."""
        self._writer.rollback()

    def close(self) -> None:
        """Wait for background merges and release the writer."""
        self._writer.wait_merging_threads()
