"""Reading the journal: one read transaction is one consistent view of a repository."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal_faults import explained, fault_of
from codeintel_rev.io.journal_schema import open_checked
from codeintel_rev.io.packing import (
    Span,
    bitmap_length,
    span_of,
    unpack_bitmap,
    unpack_spans,
    unpack_text,
    unpack_utf8,
)
from codeintel_rev.io.vector_store import Segment
from codeintel_rev.types import ChunkHead, ChunkRecord, Symbol

_log = logging.getLogger(__name__)

WORKTREE = "worktree"
"""The ref under which a working tree's own state is kept."""


_DEFINED = (
    "SELECT path, name, qualname, kind, start_line, end_line, line, col, doc"
    " FROM symbol JOIN version ON version.id = symbol.version_id"
    " JOIN snapshot_file ON snapshot_id = ? AND snapshot_file.path_id = version.path_id"
    "  AND snapshot_file.version_id = version.id"
    " JOIN path ON path.id = version.path_id"
)


class Snapshot(NamedTuple):
    """One state of a repository."""

    id: int
    ref: str
    branch: str | None
    commit: str | None
    tree_state: str | None = None
    """What git said about the work tree when the snapshot was taken, as JSON."""

    @property
    def head(self) -> tuple[str | None, str | None]:
        """Branch and commit."""
        return self.branch, self.commit


class FileRecord(NamedTuple):
    """A file as a snapshot recorded it."""

    path: str
    version_id: int
    size: int
    mtime_ns: int
    inode: int
    scanned_ns: int
    """When its bytes were read, for telling a racy edit."""
    oid: bytes = b""
    """Git's name for its bytes."""
    chunker: int = 0
    """Version of the chunker that cut it."""


class ListedFile(NamedTuple):
    """A file as a listing shows it."""

    path: str
    lang: str
    size: int
    mtime_ns: int


class Journal:
    """Read side of one repository's ``state.sqlite``; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = [open_checked(path)]
        self._closed = False

    @contextmanager
    def view(self) -> Iterator[JournalView]:
        """Open one read transaction; everything read through it belongs to one sequence."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = open_checked(self.path)
        try:
            with explained(self.path):
                connection.execute("BEGIN")
                try:
                    yield JournalView(connection)
                finally:
                    connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        else:
            self._idle.append(connection)
            if self._closed:
                self.close()

    def close(self) -> None:
        """Close every idle connection, and those in use when they become idle."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class JournalView:
    """What the journal held when its transaction began."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.unreadable: set[int] = set()
        """Rows whose text was asked for and left out, because it is not as it was written."""

    def meta(self) -> dict[str, Any]:
        """Return versions, sequence and row counters."""
        return dict(self._connection.execute("SELECT key, value FROM meta"))

    @property
    def sequence(self) -> int:
        """Number of the last commit; it grows by one with each."""
        return int(self._one("SELECT value FROM meta WHERE key = 'sequence'") or 0)

    @property
    def generation(self) -> int:
        """Number of the lexical index and of the catalog that belong to this view."""
        return int(self._one("SELECT value FROM meta WHERE key = 'generation'") or 0)

    def snapshot(self, ref: str = WORKTREE) -> Snapshot | None:
        """Return the snapshot named ``ref``, or ``None``."""
        row = self._connection.execute(
            "SELECT id, ref, branch, commit_sha, tree_state FROM snapshot WHERE ref = ?", (ref,)
        ).fetchone()
        return _snapshot(row) if row else None

    def stored_rows(self) -> NDArray[np.int64]:
        """Return the rows of all stored chunks, ascending."""
        return self.stored_ids()[0]

    def stored_ids(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of all stored chunks, ascending, and their ids."""
        found = self._connection.execute("SELECT row, id FROM chunk ORDER BY row").fetchall()
        columns = np.array(found, dtype=np.int64).reshape(-1, 2)
        return columns[:, 0], columns[:, 1]

    def quick_check(self) -> str:
        """Return ``ok``, or the first thing that SQLite finds wrong with its file."""
        return str(self._one("PRAGMA quick_check(1)"))

    def fault(self) -> str | None:
        """Return the first thing that nobody wrote, in words, or ``None``."""
        return fault_of(self._connection)

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot in the order in which they were first taken."""
        rows = self._connection.execute(
            "SELECT id, ref, branch, commit_sha, tree_state FROM snapshot ORDER BY id"
        )
        return [_snapshot(row) for row in rows]

    def live(self, snapshot_id: int) -> NDArray[np.bool_]:
        """Return the snapshot's row bitmap."""
        blob = self._one("SELECT live FROM snapshot WHERE id = ?", snapshot_id)
        return unpack_bitmap(blob) if blob else np.zeros(0, dtype=np.bool_)

    def live_rows(self) -> int:
        """Return how many row numbers the bitmaps of all snapshots reach."""
        heads = self._connection.execute("SELECT substr(live, 1, 8) FROM snapshot")
        return max((bitmap_length(head) for (head,) in heads), default=0)

    def files(self, snapshot_id: int, paths: Iterable[str] | None = None) -> dict[str, FileRecord]:
        """Return the snapshot's files by path, all or those among ``paths``."""
        joined = "JOIN" if paths is None else "CROSS JOIN"  # from the few paths to their files
        query = (
            "SELECT path, version_id, snapshot_file.size, mtime_ns, inode, scanned_ns, oid, chunker"  # noqa: S608
            f" FROM path {joined} snapshot_file ON path.id = snapshot_file.path_id"
            " JOIN version ON version.id = version_id WHERE snapshot_id = ?"
        )
        rows = self._rows(query, snapshot_id, paths)
        return {row[0]: FileRecord._make(row) for row in rows}

    def file(self, snapshot_id: int, path: str) -> tuple[FileRecord, bytes] | None:
        """Return one file of a snapshot with the hash of its bytes."""
        row = self._connection.execute(
            "SELECT path, version_id, snapshot_file.size, mtime_ns, inode, scanned_ns, content_hash"
            " FROM path JOIN snapshot_file ON snapshot_file.path_id = path.id"
            " JOIN version ON version.id = version_id WHERE path = ? AND snapshot_id = ?",
            (path, snapshot_id),
        ).fetchone()
        return (FileRecord(*row[:6]), row[6]) if row else None

    def skipped(
        self, snapshot_id: int, paths: Iterable[str] | None = None
    ) -> dict[str, tuple[str, int, int, int]]:
        """Return skipped files, all or those among ``paths``: (reason, size, mtime_ns, inode)."""
        query = "SELECT path, reason, size, mtime_ns, inode FROM skipped WHERE snapshot_id = ?"
        return {row[0]: tuple(row[1:]) for row in self._rows(query, snapshot_id, paths)}

    def file_spans(self, snapshot_id: int) -> Iterator[tuple[str, str, NDArray[np.int32]]]:
        """Yield (path, language, spans) of each file of a snapshot."""
        rows = self._connection.execute(
            "SELECT path, lang, spans FROM snapshot_file"
            " JOIN path ON path.id = snapshot_file.path_id"
            " JOIN version ON version.id = version_id WHERE snapshot_id = ?",
            (snapshot_id,),
        )
        for path, lang, spans in rows:
            yield path, lang, unpack_spans(spans)

    def paths_below(self, snapshot_id: int, path: str) -> list[str]:
        """Return the files, skipped ones too, that a snapshot holds at ``path`` or inside it."""
        if not is_text(path):
            return []
        rows = self._connection.execute(
            "SELECT path FROM path CROSS JOIN snapshot_file ON path_id = path.id"  # in this order
            " WHERE snapshot_id = :snapshot AND (path = :path OR path > :path || '/' AND path < :path || '0')"
            " UNION ALL SELECT path FROM skipped"
            " WHERE snapshot_id = :snapshot AND (path = :path OR path > :path || '/' AND path < :path || '0')",
            {"snapshot": snapshot_id, "path": path},
        )
        return [row[0] for row in rows]

    def listing(self, snapshot_id: int, path: str = "") -> Iterator[ListedFile]:
        """Yield the files of a snapshot at ``path`` or inside it, all without one, by path."""
        rows = self._connection.execute(
            "SELECT path, lang, snapshot_file.size, mtime_ns"
            " FROM path CROSS JOIN snapshot_file ON snapshot_file.path_id = path.id"
            " JOIN version ON version.id = version_id WHERE snapshot_id = :snapshot"
            " AND (:path = '' OR path = :path OR path > :path || '/' AND path < :path || '0') ORDER BY path",
            {"snapshot": snapshot_id, "path": path},
        )
        yield from map(ListedFile._make, rows)

    def symbols_like(
        self, snapshot_id: int, name: str, kind: str | None
    ) -> Iterator[tuple[str, str, Symbol]]:
        """Yield (path, language, symbol) of definitions whose qualified name holds ``name``.

        Case does not count. A ``kind`` restricts to that kind.
        """
        pattern = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = self._connection.execute(
            "SELECT path, lang, name, qualname, kind, start_line, end_line, line, col, doc"
            " FROM symbol CROSS JOIN version ON version.id = symbol.version_id"  # in this order
            " JOIN snapshot_file ON snapshot_id = :snapshot AND snapshot_file.path_id = version.path_id"
            "  AND snapshot_file.version_id = version.id"
            " JOIN path ON path.id = version.path_id"
            " WHERE qualname LIKE :pattern ESCAPE '\\' AND (:kind IS NULL OR kind = :kind)",
            {"snapshot": snapshot_id, "pattern": f"%{pattern}%", "kind": kind},
        )
        for row in rows:
            yield row[0], row[1], Symbol(*row[2:])

    def spans_of(self, snapshot_id: int, path: str) -> NDArray[np.int32] | None:
        """Return the spans of one file of a snapshot, or ``None`` when it is not in it."""
        blob = self._one(
            "SELECT spans FROM path JOIN snapshot_file ON snapshot_file.path_id = path.id"
            " JOIN version ON version.id = version_id WHERE path = ? AND snapshot_id = ?",
            path,
            snapshot_id,
        )
        return None if blob is None else unpack_spans(blob)

    def spans_by_path(self, snapshot_id: int, paths: Iterable[str]) -> dict[str, NDArray[np.int32]]:
        """Return the spans of those of ``paths`` that a snapshot holds."""
        query = (
            "SELECT path, spans"
            " FROM path CROSS JOIN snapshot_file ON path.id = snapshot_file.path_id"
            " JOIN version ON version.id = version_id WHERE snapshot_id = ?"
        )
        found = self._rows(query, snapshot_id, paths)
        return {path: unpack_spans(spans) for path, spans in found}

    def paths_ending(self, snapshot_id: int, suffix: str, limit: int = 20) -> list[str]:
        """Return paths of a snapshot equal to ``suffix`` or ending in ``/suffix``, shortest first."""
        escaped = suffix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = self._connection.execute(
            "SELECT path FROM path JOIN snapshot_file ON path_id = path.id"
            " WHERE snapshot_id = ? AND (path = ? OR path LIKE ? ESCAPE '\\')"
            " ORDER BY length(path), path LIMIT ?",
            (snapshot_id, suffix, f"%/{escaped}", limit),
        )
        return [row[0] for row in rows]

    def heads(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        """Return what ranking needs of ``rows``, by row."""
        found = self._connection.execute(
            "SELECT row, chunk.id, path.path, lang, kind, symbol"
            " FROM json_each(?) JOIN chunk ON row = json_each.value"
            " JOIN path ON path.id = path_id",
            (f"[{','.join(map(str, rows))}]",),
        )
        return {row[0]: ChunkHead(*row) for row in found}

    def texts(self, rows: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the (row, text) of stored chunks in no order, the text as UTF-8.

        What is not as it was written is left out, and told by ``unreadable``; so it is elsewhere.
        """
        found = self._connection.execute(
            "SELECT row, content FROM json_each(?) JOIN chunk ON row = json_each.value",
            (f"[{','.join(map(str, rows))}]",),
        )
        for row, content in found:
            try:
                text = unpack_utf8(content)
            except IndexDamaged as error:
                self._leave_out(row, error)
            else:
                yield row, text

    def hydrate(self, snapshot_id: int, rows: Sequence[int]) -> list[ChunkRecord]:
        """Return the records of ``rows`` in that order; rows not in the snapshot are left out.

        So is what is not as it was written, which ``unreadable`` tells.
        """
        found = self._connection.execute(
            "SELECT row, chunk.id, path.path, chunk.lang, kind, symbol, content, content_hash, spans"
            " FROM json_each(?) CROSS JOIN chunk ON row = json_each.value"  # in this order
            " JOIN path ON path.id = chunk.path_id"
            " JOIN snapshot_file ON snapshot_id = ? AND snapshot_file.path_id = chunk.path_id"
            " JOIN version ON version.id = version_id",
            (f"[{','.join(map(str, rows))}]", snapshot_id),
        )
        records = {}
        for row, *columns, packed in found:
            try:
                span = span_of(packed, row)
                if span is not None:
                    records[row] = _record(columns, span)
            except IndexDamaged as error:
                self._leave_out(row, error)
        return [records[row] for row in rows if row in records]

    def definitions(self, snapshot_id: int, name: str, limit: int) -> list[tuple[str, Symbol]]:
        """Return (path, symbol) of definitions called ``name``, those in other case last."""
        rows = self._connection.execute(
            f"{_DEFINED} WHERE name = ? COLLATE NOCASE ORDER BY name != ?, path, line LIMIT ?",
            (snapshot_id, name, name, limit),
        )
        return [(row[0], Symbol(*row[1:])) for row in rows]

    def of_kinds(
        self, snapshot_id: int, name: str, kinds: Collection[str], limit: int
    ) -> list[tuple[str, Symbol]]:
        """Return (path, symbol) of what is of one of ``kinds`` and has exactly this name."""
        rows = self._connection.execute(
            f"{_DEFINED} WHERE name = ? COLLATE NOCASE AND name = ?"  # noqa: S608  our own
            " AND kind IN (SELECT value FROM json_each(?)) ORDER BY path, line LIMIT ?",
            (snapshot_id, name, name, msgspec.json.encode(sorted(kinds)).decode(), limit),
        )
        return [(row[0], Symbol(*row[1:])) for row in rows]

    def symbols(self, version_id: int, names: Iterable[str]) -> list[Symbol]:
        """Return the definitions in one version of a file that have one of these names."""
        query = (
            "SELECT name, qualname, kind, start_line, end_line, line, col, doc FROM symbol"
            " WHERE name = ? COLLATE NOCASE AND name = ? AND version_id = ? ORDER BY line"
        )
        rows = (self._connection.execute(query, (name, name, version_id)) for name in names)
        return [Symbol(*row) for found in rows for row in found]

    def segments(self) -> list[Segment]:
        """Return the vector segments in row order."""
        rows = self._connection.execute(
            "SELECT file, first_row, end_row, length, checksum FROM segment ORDER BY first_row"
        )
        return [Segment(*row) for row in rows]

    def counts(self, snapshot_id: int) -> tuple[int, dict[str, int]]:
        """Return how many files the snapshot holds, and how many were skipped by reason."""
        files = self._one("SELECT count(*) FROM snapshot_file WHERE snapshot_id = ?", snapshot_id)
        skipped = self._connection.execute(
            "SELECT reason, count(*) FROM skipped WHERE snapshot_id = ?"
            " GROUP BY reason ORDER BY count(*) DESC, reason",
            (snapshot_id,),
        )
        return int(files or 0), dict(skipped)

    def secrets(self, snapshot_id: int) -> list[tuple[str, int, str]]:
        """Return the (path, line, kind) of every secret in the text of a snapshot."""
        found = self._connection.execute(
            "SELECT path, secrets FROM snapshot_file JOIN version ON version.id = version_id"
            " JOIN path ON path.id = version.path_id"
            " WHERE snapshot_id = ? AND secrets != '' ORDER BY path",
            (snapshot_id,),
        )
        places = ((path, word.partition(":")) for path, words in found for word in words.split())
        return [(path, int(line), kind) for path, (line, _, kind) in places if line.isdecimal()]

    def _leave_out(self, row: int, error: IndexDamaged) -> None:
        self.unreadable.add(row)
        _log.warning("chunk %d is left out: %s (%s)", row, error.message, error.hint)

    def _rows(
        self, query: str, snapshot_id: int, paths: Iterable[str] | None
    ) -> Iterator[tuple[Any, ...]]:
        if paths is None:
            yield from self._connection.execute(query, (snapshot_id,))
            return
        names = msgspec.json.encode([path for path in paths if is_text(path)])
        among = f"{query} AND path IN (SELECT value FROM json_each(?))"  # noqa: S608  our own
        yield from self._connection.execute(among, (snapshot_id, names.decode()))

    def _one(self, query: str, *parameters: Any) -> Any:
        row = self._connection.execute(query, parameters).fetchone()
        return row[0] if row else None


def is_text(path: str) -> bool:
    """Return whether a path can be in the journal: one that is no UTF-8 never is."""
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def _snapshot(row: Sequence[Any]) -> Snapshot:
    """Return a snapshot; its ref decides where files are read, so that it is looked at."""
    if not isinstance(row[1], str):
        raise IndexDamaged(
            "the journal holds a snapshot without a name",
            hint="run `codeintel doctor --repair`",
        )
    return Snapshot(*row)


def _record(found: Sequence[Any], span: Span) -> ChunkRecord:
    chunk_id, path, lang, kind, symbol, content, content_hash = found
    return ChunkRecord(
        row=span.row,
        id=chunk_id,
        uri=path,
        start_line=span.start_line,
        end_line=span.end_line,
        lang=lang,
        symbol=symbol,
        kind=kind,
        content=unpack_text(content),
        content_hash=content_hash.hex(),
    )
