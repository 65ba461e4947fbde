"""Telling a journal that holds what nobody wrote from a program that is wrong."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal_schema import DDL, connect, is_unusable, unusable

_BAFFLED: Final = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError),
    *(sqlite3.IntegrityError, sqlite3.OperationalError, struct.error),
)
"""What a value that nobody wrote makes of code that relies on it, and what a mistake in it raises."""

_RULES: Final[Mapping[str, str]] = {
    "a list of lines of half a chunk": "SELECT 1 FROM version WHERE length(spans) % 20",
    "a bitmap without its length": "SELECT 1 FROM snapshot WHERE length(live) < 8",
    "a work tree's state that is no JSON": (
        "SELECT 1 FROM snapshot WHERE tree_state IS NOT NULL AND NOT json_valid(tree_state)"
    ),
    "a version of no file": (
        "SELECT 1 FROM version LEFT JOIN path ON path.id = path_id WHERE path.id IS NULL"
    ),
    "a chunk of no file": (
        "SELECT 1 FROM chunk LEFT JOIN path ON path.id = path_id WHERE path.id IS NULL"
    ),
    "a file of no version": (
        "SELECT 1 FROM snapshot_file LEFT JOIN version"
        " ON version.id = version_id AND version.path_id = snapshot_file.path_id"
        " WHERE version.id IS NULL"
    ),
    "no vectors of the first rows": "SELECT min(first_row) FROM segment HAVING min(first_row) > 0",
    "vectors of no rows": (
        "SELECT 1 FROM segment WHERE first_row < 0 OR end_row < first_row OR instr(file, char(0))"
    ),
}
"""What no writer leaves behind -> how it is found."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Tell the journal at ``path`` from the program when this block fails, and raise what is so.

    Raises ``IndexDamaged``, ``Busy`` or ``StorageFailed``; every other error stays as it is.
    """
    try:
        yield
    except sqlite3.Error as error:
        if is_unusable(error):
            raise unusable(path, error) from error
        _blame(path, error)
        raise
    except _BAFFLED as error:
        _blame(path, error)
        raise


def fault_of(connection: sqlite3.Connection) -> str | None:
    """Return the first thing in a journal that nobody wrote, in words, or ``None``."""
    for table, columns in _written().items():
        described = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        lacking = columns.keys() - {name for (name,) in described}
        if lacking:
            return f"a table {table} without {min(lacking)}"
        wrong = " OR ".join(f"typeof({name}) NOT IN ({kinds})" for name, kinds in columns.items())
        if connection.execute(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1").fetchone():  # noqa: S608  our own names
            return f"a value of another type in the table {table}"
    for what, query in _RULES.items():
        if connection.execute(f"{query} LIMIT 1").fetchone():
            return what
    return None


def _blame(path: Path, error: Exception) -> None:
    """Raise ``IndexDamaged`` when the journal, and not the program, is to blame for ``error``."""
    try:
        found = path.stat()
        fault = _fault_at(path, (found.st_ino, found.st_size, found.st_mtime_ns))
    except OSError:
        return
    except sqlite3.Error as unreadable:
        raise unusable(path, unreadable) from error
    if fault is not None:
        raise IndexDamaged(
            f"the journal {path.name} holds {fault}",
            hint="run `codeintel doctor --repair`",
            value=str(path),
        ) from error


@lru_cache(maxsize=64)
def _fault_at(path: Path, _stamp: tuple[int, ...]) -> str | None:
    """Return what ``fault_of`` does, once for a file: it is read as a whole, and may be asked often."""
    with closing(connect(path)) as connection:
        return fault_of(connection)


@cache
def _written() -> Mapping[str, Mapping[str, str]]:
    """Return the types that the columns with a declared one have: table -> column -> types."""
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(DDL)
        columns = empty.execute(
            'SELECT tables.name, columns.name, lower(columns.type), "notnull" OR pk'
            " FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' AND columns.type != ''"
        )
        written: dict[str, dict[str, str]] = {}
        for table, name, kind, required in columns:
            allowed = f"'{kind}'" if required else f"'{kind}', 'null'"
            written.setdefault(table, {})[name] = allowed
    return written
