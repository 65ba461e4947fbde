"""The journal's tables and the versions of everything that an index depends on."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from codeintel_rev.errors import CodeIntelError, IndexDamaged, IndexForeign, IndexMissing
from codeintel_rev.io import storage_failure

SCHEMA_VERSION = 1
"""Version of the tables below. Bump when a table, a column or a packed format changes, and add the
step from the one before to ``journal_migration``."""

BUSY_TIMEOUT_S = 5.0
"""How long one statement waits for another process's commit; commits last milliseconds."""

LOG_BYTES = 4 << 20
"""What the log beside the file keeps of its length once everything in it is in the file."""

COUNTERS = ("sequence", "reserved_rows", "stored_rows", "generation", "catalog_sequence")
"""Numbers in ``meta`` that start at 0."""

DDL = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE path (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE version (
    id INTEGER PRIMARY KEY,
    path_id INTEGER NOT NULL,
    content_hash BLOB NOT NULL,
    chunker INTEGER NOT NULL,
    lang TEXT NOT NULL,
    size INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    oid BLOB NOT NULL,
    secrets TEXT NOT NULL,
    spans BLOB NOT NULL,
    retired_ns INTEGER NOT NULL DEFAULT 0,
    UNIQUE (path_id, content_hash, chunker)
);
CREATE TABLE chunk (
    row INTEGER PRIMARY KEY,
    id INTEGER NOT NULL UNIQUE,
    path_id INTEGER NOT NULL,
    lang TEXT NOT NULL,
    kind TEXT NOT NULL,
    symbol TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE symbol (
    version_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    qualname TEXT NOT NULL,
    kind TEXT NOT NULL,
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    line INTEGER NOT NULL,
    col INTEGER NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX symbol_name ON symbol (name COLLATE NOCASE, version_id);
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE,
    branch TEXT,
    commit_sha TEXT,
    tree_state TEXT,
    live BLOB NOT NULL
);
CREATE TABLE snapshot_file (
    snapshot_id INTEGER NOT NULL,
    path_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    scanned_ns INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, path_id)
) WITHOUT ROWID;
CREATE TABLE skipped (
    snapshot_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    PRIMARY KEY (snapshot_id, path)
) WITHOUT ROWID;
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    file TEXT NOT NULL UNIQUE,
    first_row INTEGER NOT NULL,
    end_row INTEGER,
    length INTEGER,
    checksum BLOB
);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database file ``path`` in autocommit, transactions being explicit.

    Where the disk takes no more data, not even what SQLite needs to coordinate its readers, a
    database at rest can still be read; any write to it fails.
    """
    connection = _connect(os.fspath(path), uri=False)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES:d}")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY or not _is_at_rest(path):
            raise
        return _connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(place: str, *, uri: bool) -> sqlite3.Connection:
    return sqlite3.connect(
        place, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, uri=uri
    )


def _is_at_rest(path: Path) -> bool:
    """Return whether everything that was committed is in the file itself."""
    log = path.with_name(f"{path.name}-wal")
    return path.exists() and not (log.exists() and log.stat().st_size)


def create(path: Path, components: dict[str, str]) -> None:
    """Make an empty journal at ``path``, stamped with the versions in ``components``."""
    connection = connect(path)
    try:
        # compaction gives pages back; this has to be said before the first table is made
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if _has_tables(connection):
            connection.execute("ROLLBACK")
            return
        for statement in DDL.split(";"):
            if statement.strip():
                connection.execute(statement)
        meta = {"schema": SCHEMA_VERSION} | dict.fromkeys(COUNTERS, 0)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [*meta.items(), *components.items()]
        )
        connection.execute("COMMIT")
    finally:
        connection.close()


def is_made(path: Path) -> bool:
    """Return whether there is a journal at ``path``; one that is damaged counts.

    A process that was killed while it made one leaves a file without tables, which does not.
    """
    if not path.exists():
        return False
    connection = None
    try:
        connection = connect(path)
        return _has_tables(connection)
    except sqlite3.DatabaseError:
        return True
    finally:
        if connection is not None:
            connection.close()


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _missing(path: Path) -> IndexMissing:
    return IndexMissing(
        f"no index at {path.parent}", hint="run `codeintel index` first", value=str(path)
    )


def open_checked(path: Path) -> sqlite3.Connection:
    """Open an existing journal.

    Raises ``IndexMissing`` without a file, ``IndexForeign`` for another schema version and
    ``IndexDamaged`` for a file that is no journal or names no version.
    """
    if not path.exists():
        raise _missing(path)
    try:
        connection = connect(path)
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        raise unusable(path, error) from error
    return connection


def schema_of(connection: sqlite3.Connection) -> int:
    """Return the format of a journal; 0 when it names none."""
    found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return found[0] if found and isinstance(found[0], int) else 0


def _has_counters(connection: sqlite3.Connection) -> bool:
    marks = ", ".join("?" * len(COUNTERS))
    sql = f"SELECT count(*) FROM meta WHERE key IN ({marks}) AND typeof(value) = 'integer'"  # noqa: S608
    return bool(connection.execute(sql, COUNTERS).fetchone() == (len(COUNTERS),))


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if not _has_tables(connection):
        raise _missing(path)
    found = schema_of(connection)
    if found == SCHEMA_VERSION and _has_counters(connection):
        return
    if found in (0, SCHEMA_VERSION):
        raise IndexDamaged(
            f"the journal {path.name} does not say its format, or how far it has come",
            hint="run `codeintel index --full` to rebuild it",
            value=str(path),
        )
    newer = "use the newer program, or run `codeintel index --full` with this one"
    raise IndexForeign(
        f"the index at {path.parent} has format {found}, "
        f"this program reads format {SCHEMA_VERSION}",
        hint=newer if found > SCHEMA_VERSION else "run `codeintel index` to bring it up to date",
        value=str(found),
    )


_OUTSIDE = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
)


def is_unusable(error: BaseException) -> bool:
    """Return whether SQLite blames the file, its disk or who else uses it, not the program."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # of the driver: a text that is no UTF-8, where only UTF-8 was written
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in _OUTSIDE


def unusable(path: Path, cause: sqlite3.Error) -> CodeIntelError:
    """Return the error for a journal that cannot be read: damaged, locked, or on a full disk."""
    if (told := storage_failure.locked(path, cause)) is not None:
        return told
    if (told := storage_failure.failure(path.parent, cause)) is not None:
        return told
    return IndexDamaged(
        f"the journal {path.name} cannot be read: {cause}",
        hint="run `codeintel index --full` to rebuild it",
        value=str(path),
    )
