"""Writing the journal: everything that one commit changes, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal import Snapshot, is_text
from codeintel_rev.io.journal_schema import open_checked
from codeintel_rev.io.packing import (
    Span,
    pack_bitmap,
    pack_spans,
    unpack_bitmap,
    unpack_spans,
    unpack_text,
)
from codeintel_rev.io.vector_store import Segment
from codeintel_rev.types import FileEntry, Symbol


class NewChunk(NamedTuple):
    """A chunk row to store; ``content`` is packed text."""

    row: int
    id: int
    path_id: int
    lang: str
    kind: str
    symbol: str
    content: bytes


class NewVersion(NamedTuple):
    """A file version to store."""

    path_id: int
    content_hash: bytes
    chunker: int
    lang: str
    size: int
    lines: int
    oid: bytes = b""
    """Git's name for the same bytes."""
    secrets: str = ""
    """The lines that hold secrets, as ``line:kind`` words."""


class JournalWriter:
    """Write side of one repository's journal; its caller holds the ``writer`` lock."""

    def __init__(self, path: Path) -> None:
        self._connection = open_checked(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Run a block as one commit that advances the sequence; any error rolls it back."""
        return transaction(self._connection)

    def reserve(self, count: int) -> int:
        """Set ``count`` row numbers aside for good and return the first of them."""
        first, _ = self._connection.execute(
            "UPDATE meta SET value = value + ? WHERE key = 'reserved_rows'"
            " RETURNING value - ?, value",
            (count, count),
        ).fetchone()
        return int(first)

    def sequence(self) -> int:
        """Return the number of the last commit."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'sequence'").fetchone()
        return int(row[0])

    def generation(self) -> int:
        """Return the number of the lexical index that new words go to."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
        return int(row[0])

    def record_versions(self, versions: Mapping[str, str]) -> None:
        """Record which versions of components made the index."""
        set_versions(self._connection, versions)

    def forget_cuts(self, chunker: int) -> None:
        """Let compaction drop at once what another chunker cut and no snapshot holds."""
        self._connection.execute(
            "UPDATE version SET retired_ns = 0 WHERE chunker != ?"
            " AND id NOT IN (SELECT version_id FROM snapshot_file)",
            (chunker,),
        )

    # --- paths, versions, chunks --------------------------------------------------------------

    def path_id(self, path: str) -> int:
        """Return the number of ``path``, giving it one when it is new."""
        row = self._connection.execute("SELECT id FROM path WHERE path = ?", (path,)).fetchone()
        if row is None:
            row = self._connection.execute(
                "INSERT INTO path (path) VALUES (?) RETURNING id", (path,)
            ).fetchone()
        return int(row[0])

    def find_version(self, path: str, content_hash: bytes, chunker: int) -> int | None:
        """Return the stored version of ``path`` with these bytes, cut by this chunker."""
        row = self._connection.execute(
            "SELECT version.id FROM version JOIN path ON path.id = path_id"
            " WHERE path = ? AND content_hash = ? AND chunker = ?",
            (path, content_hash, chunker),
        ).fetchone()
        return int(row[0]) if row else None

    def find_blob(self, path: str, oid: bytes, chunker: int) -> int | None:
        """Return the stored version of ``path`` that git calls ``oid``, cut by this chunker."""
        row = self._connection.execute(
            "SELECT version.id FROM version JOIN path ON path.id = path_id"
            " WHERE path = ? AND oid = ? AND chunker = ?",
            (path, oid, chunker),
        ).fetchone()
        return int(row[0]) if row else None

    def find_chunk(self, chunk_id: int) -> int | None:
        """Return the row that holds ``chunk_id``, or ``None``."""
        row = self._connection.execute("SELECT row FROM chunk WHERE id = ?", (chunk_id,)).fetchone()
        return int(row[0]) if row else None

    def assert_same_text(self, row: int, text: str) -> None:
        """Raise ``IndexDamaged`` unless ``row`` holds ``text``: one id never means two texts."""
        stored = self._connection.execute(
            "SELECT content FROM chunk WHERE row = ?", (row,)
        ).fetchone()
        if stored is None or unpack_text(stored[0]) != text:
            raise IndexDamaged(
                f"row {row} of the journal holds another text under the same id",
                hint="run `codeintel index --full` to rebuild the index",
                value=str(row),
            )

    def add_chunks(self, chunks: Iterable[NewChunk]) -> None:
        """Store new rows."""
        cursor = self._connection.executemany(
            "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?)", chunks
        )
        self._connection.execute(
            "UPDATE meta SET value = value + ? WHERE key = 'stored_rows'", (cursor.rowcount,)
        )

    def add_version(self, version: NewVersion, spans: list[Span], symbols: Iterable[Symbol]) -> int:
        """Store a file version with the lines of its chunks and its definitions."""
        (version_id,) = self._connection.execute(
            "INSERT INTO version"
            " (path_id, content_hash, chunker, lang, size, lines, oid, secrets, spans)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*version, pack_spans(spans)),
        ).fetchone()
        self._connection.executemany(
            "INSERT INTO symbol VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    version_id,
                    s.name,
                    s.qualname,
                    s.kind,
                    s.start_line,
                    s.end_line,
                    s.line,
                    s.column,
                    s.doc,
                )
                for s in symbols
            ),
        )
        return int(version_id)

    # --- snapshots ----------------------------------------------------------------------------

    def ensure_snapshot(self, ref: str) -> int:
        """Return the number of the snapshot ``ref``, made empty when it is new."""
        row = self._connection.execute("SELECT id FROM snapshot WHERE ref = ?", (ref,)).fetchone()
        if row is None:
            row = self._connection.execute(
                "INSERT INTO snapshot (ref, live) VALUES (?, ?) RETURNING id",
                (ref, pack_bitmap(np.zeros(0, dtype=np.bool_))),
            ).fetchone()
        return int(row[0])

    def remove_snapshot(self, ref: str) -> None:
        """Forget the snapshot ``ref``; what no other one holds goes at the next compaction."""
        for table in ("snapshot_file", "skipped"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE snapshot_id"  # noqa: S608  a literal above
                " = (SELECT id FROM snapshot WHERE ref = ?)",
                (ref,),
            )
        self._connection.execute("DELETE FROM snapshot WHERE ref = ?", (ref,))

    def set_head(self, snapshot: Snapshot) -> None:
        """Record where the snapshot's branch, commit and work tree stand."""
        self._connection.execute(
            "UPDATE snapshot SET branch = ?, commit_sha = ?, tree_state = ? WHERE id = ?",
            (snapshot.branch, snapshot.commit, snapshot.tree_state, snapshot.id),
        )

    def set_files(self, snapshot_id: int, files: Iterable[tuple[FileEntry, int, int]]) -> None:
        """Point paths of a snapshot at versions: (entry, version id, when it was read in ns)."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO snapshot_file VALUES"
            " (?, (SELECT id FROM path WHERE path = ?), ?, ?, ?, ?, ?)",
            (
                (snapshot_id, e.path, version_id, e.size, e.mtime_ns, e.inode, scanned_ns)
                for e, version_id, scanned_ns in files
            ),
        )

    def retire(self, version_ids: Iterable[int], now_ns: int) -> None:
        """Record when versions left a snapshot; those in none since then may be compacted away."""
        self._connection.executemany(
            "UPDATE version SET retired_ns = ? WHERE id = ?",
            ((now_ns, version_id) for version_id in version_ids),
        )

    def remove_files(self, snapshot_id: int, paths: Iterable[str]) -> None:
        """Take paths out of a snapshot; their versions and rows stay for a possible return."""
        self._connection.executemany(
            "DELETE FROM snapshot_file WHERE snapshot_id = ?"
            " AND path_id = (SELECT id FROM path WHERE path = ?)",
            ((snapshot_id, path) for path in paths),
        )

    def set_skipped(
        self,
        snapshot_id: int,
        skipped: Iterable[tuple[str, str, int, int, int]],
        among: Iterable[str] | None = None,
    ) -> None:
        """Replace the list of skipped files, or the part of it that concerns ``among``.

        A skipped file is (path, reason, size, mtime_ns, inode).
        """
        if among is None:
            self._connection.execute("DELETE FROM skipped WHERE snapshot_id = ?", (snapshot_id,))
        else:
            self._connection.executemany(
                "DELETE FROM skipped WHERE snapshot_id = ? AND path = ?",
                ((snapshot_id, path) for path in among if is_text(path)),
            )
        self._connection.executemany(
            "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?, ?, ?)",
            ((snapshot_id, *row) for row in skipped),
        )

    def rows_of_versions(self, version_ids: Sequence[int]) -> NDArray[np.int32]:
        """Return the rows of the given versions' chunks; raises ``IndexDamaged`` where one is missing."""
        blocks = [np.zeros(0, dtype=np.int32)]
        for version_id in version_ids:
            found = self._connection.execute(
                "SELECT spans FROM version WHERE id = ?", (version_id,)
            ).fetchone()
            if found is None:
                raise IndexDamaged(
                    f"the journal shows a version {version_id} of a file that it does not hold",
                    hint="run `codeintel doctor --repair`",
                    value=str(version_id),
                )
            blocks.append(unpack_spans(found[0])[:, 0])
        return np.concatenate(blocks)

    def versions_of(self, snapshot_id: int, paths: Iterable[str]) -> list[int]:
        """Return the versions at which a snapshot holds ``paths``, absent ones left out."""
        query = (
            "SELECT version_id FROM path JOIN snapshot_file ON path_id = path.id"
            " WHERE path = ? AND snapshot_id = ?"
        )
        found = (self._connection.execute(query, (p, snapshot_id)).fetchone() for p in paths)
        return [int(row[0]) for row in found if row is not None]

    def update_live(
        self, snapshot_id: int, dead: NDArray[np.int32], born: NDArray[np.int32]
    ) -> None:
        """Clear the bits of ``dead`` rows and set those of ``born`` rows, in this order."""
        (blob,) = self._connection.execute(
            "SELECT live FROM snapshot WHERE id = ?", (snapshot_id,)
        ).fetchone()
        live = unpack_bitmap(blob)
        needed = int(born.max()) + 1 if born.size else 0
        if needed > len(live):
            live = np.concatenate([live, np.zeros(needed - len(live), dtype=np.bool_)])
        live[dead] = False
        live[born] = True
        self._connection.execute(
            "UPDATE snapshot SET live = ? WHERE id = ?", (pack_bitmap(live), snapshot_id)
        )

    # --- vector segments ----------------------------------------------------------------------

    def open_segment(self) -> Segment:
        """Return the segment that new rows go to."""
        query = "SELECT file, first_row, checksum FROM segment WHERE end_row IS NULL"
        row = self._connection.execute(query).fetchone()
        if row is None:
            row = (segment_name(0), 0, None)
            self._connection.execute(
                "INSERT INTO segment (file, first_row, checksum) VALUES (?, ?, ?)", row
            )
        return Segment(row[0], row[1], checksum=row[2])

    def set_checksum(self, segment: Segment) -> None:
        """Record what a segment's vectors are known by since more were appended."""
        self._connection.execute(
            "UPDATE segment SET checksum = ? WHERE file = ?", (segment.checksum, segment.file)
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a block as one commit that advances the sequence; any error rolls it back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'sequence'")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def set_versions(connection: sqlite3.Connection, versions: Mapping[str, str]) -> None:
    """Record which versions of components made the index; others stay as they are."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", versions.items())


def segment_name(first_row: int) -> str:
    """Return the file name of the segment that takes new rows from ``first_row`` on."""
    return f"rows-{first_row}.f16"
