"""The rows of one snapshot, or of several together, inside one read transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.journal import FileRecord, JournalView, ListedFile, Snapshot
from codeintel_rev.text.kinds import definition_order
from codeintel_rev.types import ChunkHead, ChunkRecord, Symbol


class JournalCatalog:
    """Rows to what stands in them (``ChunkCatalog``); valid while its transaction is open.

    Where several snapshots hold a row, the first of them says where it stands.
    """

    def __init__(self, journal: JournalView, snapshots: Sequence[Snapshot]) -> None:
        self._journal = journal
        self._snapshots = snapshots

    @property
    def has_left_out(self) -> bool:
        """Whether a chunk was asked for whose text is not as it was written."""
        return bool(self._journal.unreadable)

    def heads(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        """Return what ranking needs of ``rows``, by row; unknown rows are left out."""
        return self._journal.heads(rows)

    def hydrate(self, rows: Sequence[int]) -> list[ChunkRecord]:
        """Return the records of live rows in the order asked; rows that are not live are left out."""
        first, *others = self._snapshots
        records = self._journal.hydrate(first.id, rows)
        if not others or len(records) == len(rows):
            return records
        found = {record.row: record for record in records}
        for snapshot in others:
            missing = [row for row in rows if row not in found]
            found |= {r.row: r for r in self._journal.hydrate(snapshot.id, missing)}
        return [found[row] for row in rows if row in found]

    def holders(self, row: int) -> list[tuple[Snapshot, ChunkRecord]]:
        """Return every snapshot that holds a row, and how the row stands in it."""
        return [
            (snapshot, record)
            for snapshot in self._snapshots
            for record in self._journal.hydrate(snapshot.id, [row])
        ]

    def definitions(self, name: str, limit: int) -> list[int]:
        """Return rows in which something called ``name`` is defined: exact case, types first."""
        found = [
            ((symbol.name != name, definition_order(symbol.kind)), snapshot.id, path, symbol.line)
            for snapshot in self._snapshots
            for path, symbol in self._journal.definitions(snapshot.id, name, limit * 4)
        ]
        found.sort(key=lambda definition: definition[0])
        del found[limit * len(self._snapshots) :]
        return self._covering([(holder, path, line) for _, holder, path, line in found])[:limit]

    def of_kinds(self, name: str, kinds: Collection[str], limit: int) -> list[int]:
        """Return rows in which one of ``kinds`` is defined under exactly this name."""
        found = [
            (snapshot.id, path, symbol.line)
            for snapshot in self._snapshots
            for path, symbol in self._journal.of_kinds(snapshot.id, name, kinds, limit)
        ]
        return self._covering(found)[:limit]

    def _covering(self, places: Sequence[tuple[int, str, int]]) -> list[int]:
        """Return the row of each (snapshot, path, line), each row once."""
        if not places:
            return []
        spans = {
            snapshot.id: self._journal.spans_by_path(
                snapshot.id, {path for holder, path, _ in places if holder == snapshot.id}
            )
            for snapshot in self._snapshots
        }
        rows = (_covering(spans[holder][path], line) for holder, path, line in places)
        return list(dict.fromkeys(row for row in rows if row is not None))

    def located(self, path: str, line: int) -> list[int]:
        """Return the rows that ``path:line`` may mean, ``path`` being a whole path or its end."""
        rows = (
            self.row_at(snapshot, found, line)
            for snapshot in self._snapshots
            for found in self._journal.paths_ending(snapshot.id, path)
        )
        return list(dict.fromkeys(row for row in rows if row is not None))

    def has_file(self, path: str) -> bool:
        """Return whether a snapshot holds a file of this path, or of one that ends in it."""
        return any(self._journal.paths_ending(s.id, path, limit=1) for s in self._snapshots)

    def symbols(self, path: str, content_hash: str, names: Collection[str]) -> list[Symbol] | None:
        """Return the definitions with these names in one version of a file.

        ``None`` when no snapshot holds that version any more.
        """
        for snapshot in self._snapshots:
            known = self._journal.file(snapshot.id, path)
            if known is not None and known[1].hex() == content_hash:
                return self._journal.symbols(known[0].version_id, names)
        return None

    def file_spans(self, snapshot: Snapshot) -> Iterator[tuple[str, str, NDArray[np.int32]]]:
        """Yield (path, language, spans) of each file of a snapshot."""
        return self._journal.file_spans(snapshot.id)

    def texts(self, rows: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the (row, text) of stored chunks in no order, the text as UTF-8."""
        return self._journal.texts(rows)

    def listing(self, snapshot: Snapshot, path: str = "") -> list[ListedFile]:
        """Return the files of a snapshot at ``path`` or inside it, all without one, by path."""
        return list(self._journal.listing(snapshot.id, path))

    def record(self, snapshot: Snapshot, path: str) -> FileRecord | None:
        """Return how a snapshot recorded a file, ``None`` when it does not hold it."""
        return self.records(snapshot, [path]).get(path)

    def records(self, snapshot: Snapshot, paths: Iterable[str]) -> dict[str, FileRecord]:
        """Return how a snapshot recorded those of ``paths`` that it holds."""
        return self._journal.files(snapshot.id, paths)

    def symbols_like(
        self, snapshot: Snapshot, name: str, kind: str | None = None
    ) -> list[tuple[str, str, Symbol]]:
        """Return (path, language, symbol) of definitions whose qualified name holds ``name``."""
        return list(self._journal.symbols_like(snapshot.id, name, kind))

    def symbols_named(self, snapshot: Snapshot, name: str, limit: int) -> list[tuple[str, Symbol]]:
        """Return (path, symbol) of definitions called ``name``, those in other case last."""
        return self._journal.definitions(snapshot.id, name, limit)

    def counts(self) -> tuple[int, dict[str, int]]:
        """Return how many files the first snapshot holds, and how many were skipped by reason."""
        return self._journal.counts(self._snapshots[0].id)

    def secrets(self) -> list[tuple[str, int, str]]:
        """Return the (path, line, kind) of every secret in the text of the first snapshot."""
        return self._journal.secrets(self._snapshots[0].id)

    def row_at(self, snapshot: Snapshot, path: str, line: int) -> int | None:
        """Return the row of the chunk that covers a line of a file, if there is one."""
        spans = self._journal.spans_of(snapshot.id, path)
        return None if spans is None else _covering(spans, line)


def _covering(spans: NDArray[np.int32], line: int) -> int | None:
    """Return the row of the first chunk of a file that covers a line."""
    covering = np.flatnonzero((spans[:, 1] <= line) & (spans[:, 2] >= line))
    return int(spans[covering[0], 0]) if covering.size else None
