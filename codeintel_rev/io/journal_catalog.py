"""The rows of one snapshot inside one read transaction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codeintel_rev.io.journal import FileRecord, JournalView, Snapshot
from codeintel_rev.types import ChunkHead, ChunkRecord


class JournalCatalog:
    """Rows to what stands in them (``ChunkCatalog``); valid while its transaction is open."""

    def __init__(self, journal: JournalView, snapshot: Snapshot) -> None:
        self._journal = journal
        self._snapshot = snapshot

    def heads(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        """Return what ranking needs of ``rows``, by row; unknown rows are left out."""
        return self._journal.heads(rows)

    def hydrate(self, rows: Sequence[int]) -> list[ChunkRecord]:
        """Return the records of live rows in the order asked; rows that are not live are left out."""
        return self._journal.hydrate(self._snapshot.id, rows)

    def definitions(self, name: str, limit: int) -> list[int]:
        """Return rows in which something called ``name`` is defined, exact case first."""
        found = self._journal.definitions(self._snapshot.id, name, limit * 4)
        found.sort(key=lambda pair: pair[1].name != name)
        rows = (self._row_at(path, symbol.line) for path, symbol in found[:limit])
        return [row for row in rows if row is not None]

    def located(self, path: str, line: int) -> list[int]:
        """Return the rows that ``path:line`` may mean, ``path`` being a whole path or its end."""
        paths = self._journal.paths_ending(self._snapshot.id, path)
        rows = (self._row_at(found, line) for found in paths)
        return [row for row in rows if row is not None]

    def file(self, path: str) -> tuple[FileRecord, bytes] | None:
        """Return how a file was recorded, and the hash of its bytes."""
        return self._journal.file(self._snapshot.id, path)

    def counts(self) -> tuple[int, dict[str, int]]:
        """Return how many files the snapshot holds, and how many were skipped by reason."""
        return self._journal.counts(self._snapshot.id)

    def _row_at(self, path: str, line: int) -> int | None:
        spans = self._journal.spans_of(self._snapshot.id, path)
        if spans is None:
            return None
        covering = np.flatnonzero((spans[:, 1] <= line) & (spans[:, 2] >= line))
        return int(spans[covering[0], 0]) if covering.size else None
