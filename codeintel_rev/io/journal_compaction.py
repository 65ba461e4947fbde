"""What compaction reads and changes in the journal."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.journal_schema import open_checked
from codeintel_rev.io.journal_writer import segment_name, set_versions, transaction
from codeintel_rev.io.packing import unpack_spans, unpack_text_and_doc
from codeintel_rev.io.vector_store import Segment

_log = logging.getLogger(__name__)

_BATCH = 8_000
"""Chunks read at a time."""

_VACUUM_PAGES = 1_000
"""Pages given back at a time: 4 MiB, a moment in which nobody else can commit."""


class StoredChunk(NamedTuple):
    """A chunk row with what its words are made of."""

    row: int
    id: int
    path: str
    lang: str
    kind: str
    symbol: str
    text: str
    doc: str


class StoredVersion(NamedTuple):
    """A file version and the rows of its chunks."""

    id: int
    path: str
    content_hash: bytes
    retired_ns: int
    """When it last left a snapshot; 0 = never, or together with its whole snapshot."""
    spans: NDArray[np.int32]
    snapshots: tuple[int, ...]
    """The snapshots that hold it, the first one taken first; empty when none does."""


class Ref(NamedTuple):
    """What a snapshot shows."""

    ref: str
    commit: str | None


class Sealed(NamedTuple):
    """The state that a compaction builds from."""

    sequence: int
    generation: int
    """The generation that serves now."""
    end_row: int
    """First row that belongs to the next segment."""
    rows: NDArray[np.int64]
    """The rows that stayed, ascending."""
    dropped: int
    versions: list[StoredVersion]
    """Those that stayed."""
    refs: dict[int, Ref]
    """What each snapshot shows, by its number."""

    @property
    def chunks(self) -> int:
        """How many rows stayed."""
        return len(self.rows)


class JournalCompaction:
    """The compactor's connection to one journal."""

    def __init__(self, path: Path) -> None:
        self._connection = open_checked(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- reading ------------------------------------------------------------------------------

    def meta(self, key: str) -> int:
        """Return one of the journal's counters."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return int(row[0])

    def segments(self) -> list[Segment]:
        """Return the vector segments in row order."""
        rows = self._connection.execute(
            "SELECT file, first_row, end_row, length, checksum FROM segment ORDER BY first_row"
        )
        return [Segment(*row) for row in rows]

    def refs(self) -> dict[int, Ref]:
        """Return what each snapshot shows, by its number."""
        rows = self._connection.execute("SELECT id, ref, commit_sha FROM snapshot")
        return {row[0]: Ref(row[1], row[2]) for row in rows}

    def versions(self) -> list[StoredVersion]:
        """Return every file version."""
        holders: dict[int, list[int]] = {}
        for version_id, snapshot_id in self._connection.execute(
            "SELECT version_id, snapshot_id FROM snapshot_file ORDER BY snapshot_id"
        ):
            holders.setdefault(version_id, []).append(snapshot_id)
        rows = self._connection.execute(
            "SELECT version.id, path, content_hash, retired_ns, spans"
            " FROM version JOIN path ON path.id = path_id"
        )
        return [
            StoredVersion._make((*known, unpack_spans(spans), tuple(holders.get(known[0], ()))))
            for *known, spans in rows
        ]

    def titles(self, limit: int) -> list[str]:
        """Return first sentences of docstrings from all over, the same ones each time."""
        found = self._connection.execute(
            "SELECT doc FROM symbol WHERE length(doc) > 15"
            " ORDER BY rowid * 2654435761 % 4294967296 LIMIT ?",  # as good as at random
            (limit,),
        )
        return [row[0] for row in found]

    def rows(self, end_row: int) -> NDArray[np.int64]:
        """Return the stored rows below ``end_row``, ascending."""
        # `+row`: the index over ids holds the rows too, and is a tenth of the table
        found = self._connection.execute("SELECT row FROM chunk WHERE +row < ?", (end_row,))
        return np.sort(np.fromiter((row[0] for row in found), dtype=np.int64))

    def first_chunks(self, end_row: int, count: int) -> list[StoredChunk]:
        """Return the first ``count`` stored chunks below ``end_row``."""
        return self._batch(0, end_row, count)

    def chunks(self, first_row: int, end_row: int) -> Iterator[list[StoredChunk]]:
        """Yield the stored chunks of a range of rows in row order, a batch at a time.

        No transaction stays open between batches: a stored chunk never changes.
        """
        while batch := self._batch(first_row, end_row, _BATCH):
            yield batch
            first_row = batch[-1].row + 1

    def _batch(self, first_row: int, end_row: int, count: int) -> list[StoredChunk]:
        rows = self._connection.execute(
            "SELECT row, chunk.id, path, lang, kind, symbol, content"
            " FROM chunk JOIN path ON path.id = path_id"
            " WHERE row >= ? AND row < ? ORDER BY row LIMIT ?",
            (first_row, end_row, count),
        )
        return [StoredChunk._make((*row[:6], *unpack_text_and_doc(row[6]))) for row in rows]

    # --- writing; the caller holds the writer lock --------------------------------------------

    def seal(
        self, choose: Callable[[Sequence[StoredVersion], int], tuple[NDArray[np.bool_], list[int]]]
    ) -> Sealed:
        """Drop what ``choose`` does not keep and start a new segment, in one commit.

        ``choose`` takes the versions and the number of rows; it returns a bit a row and the
        versions to drop.
        """
        with transaction(self._connection):
            end_row = self.meta("reserved_rows")
            versions = self.versions()
            kept, dropped = choose(versions, end_row)
            stored = self.rows(end_row)
            dead = stored[~kept[stored]]
            self._drop(dropped, dead.tolist())
            self._start_segment(end_row)
            gone = set(dropped)
            return Sealed(
                sequence=self.meta("sequence") + 1,
                generation=self.meta("generation"),
                end_row=end_row,
                rows=stored[kept[stored]],
                dropped=len(dead),
                versions=[version for version in versions if version.id not in gone],
                refs=self.refs(),
            )

    def swap(
        self,
        generation: int,
        sealed: Sealed,
        segment: Segment | None,
        versions: Mapping[str, str],
    ) -> int:
        """Let ``generation`` serve, its vectors in ``segment``, in one commit; returns the sequence.

        ``versions`` are those of the components that made it, where they are new.
        """
        with transaction(self._connection):
            set_versions(self._connection, versions)
            self._set("generation", generation)
            self._set("catalog_sequence", sealed.sequence)
            self._connection.execute("DELETE FROM segment WHERE first_row < ?", (sealed.end_row,))
            if segment is not None:
                self._connection.execute(
                    "INSERT INTO segment (file, first_row, end_row, length, checksum)"
                    " VALUES (?, ?, ?, ?, ?)",
                    segment,
                )
        return self.meta("sequence")

    def give_back_space(self) -> None:
        """Return free pages and the log to the file system, letting others commit in between."""
        while True:
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            # as a script, for it goes on to its end; a single statement would stop at the first page
            self._connection.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES:d})")
            (left,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            if left == 0 or left >= free:
                break
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def rewrite(self) -> None:
        """Write the file anew, without free pages and holes in pages; nobody else can commit meanwhile.

        Left out where there is no room for it.
        """
        try:
            self._connection.execute("VACUUM")
        except sqlite3.OperationalError as error:
            _log.warning("the journal keeps its holes: %s", error)

    def size(self) -> int:
        """Return the bytes of the file, without its log."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (each,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int(pages * each)

    def _drop(self, version_ids: Iterable[int], rows: Sequence[int]) -> None:
        run, run_each = self._connection.execute, self._connection.executemany
        run("CREATE TEMP TABLE IF NOT EXISTS dropped (version_id INTEGER PRIMARY KEY)")
        run("DELETE FROM dropped")
        run_each("INSERT INTO dropped VALUES (?)", ((version_id,) for version_id in version_ids))
        run("DELETE FROM symbol WHERE version_id IN (SELECT version_id FROM dropped)")
        run("DELETE FROM version WHERE id IN (SELECT version_id FROM dropped)")
        run_each("DELETE FROM chunk WHERE row = ?", ((row,) for row in rows))
        run(
            "DELETE FROM path WHERE id NOT IN"
            " (SELECT path_id FROM version UNION SELECT path_id FROM snapshot_file"
            " UNION SELECT path_id FROM chunk)"
        )
        self._set("stored_rows", self.meta("stored_rows") - len(rows))

    def _start_segment(self, end_row: int) -> None:
        """Seal the open segment, unless it has no rows yet."""
        opened = next((s for s in self.segments() if s.end_row is None), None)
        if opened is None or opened.first_row == end_row:
            return
        self._connection.execute(
            "UPDATE segment SET end_row = ?, length = ? WHERE end_row IS NULL",
            (end_row, end_row - opened.first_row),
        )
        self._connection.execute(
            "INSERT INTO segment (file, first_row) VALUES (?, ?)", (segment_name(end_row), end_row)
        )

    def _set(self, key: str, value: int) -> None:
        self._connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
