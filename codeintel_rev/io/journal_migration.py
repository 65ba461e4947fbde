"""Bringing a journal of an earlier format to the present one, in place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from codeintel_rev.io.journal_schema import SCHEMA_VERSION, connect, schema_of, unusable

Step = Callable[[sqlite3.Connection], None]
"""Makes the tables of one format those of the next."""

STEPS: Final[Mapping[int, Step]] = {}
"""Every format that came before the present one -> its step. A change of ``SCHEMA_VERSION`` adds
one, and a test holds the chain together."""


def is_earlier(path: Path, steps: Mapping[int, Step] = STEPS) -> bool:
    """Return whether the journal at ``path`` has an earlier format; raises as ``open_checked``.

    One that names no format, or one that there never was, is damaged and has none.
    """
    try:
        with closing(connect(path)) as connection:
            return schema_of(connection) in steps
    except sqlite3.DatabaseError as error:
        raise unusable(path, error) from error


def migrate(path: Path, steps: Mapping[int, Step] = STEPS, wanted: int = SCHEMA_VERSION) -> None:
    """Take a journal to the format ``wanted`` in one transaction; its caller holds the writer lock.

    Readers see the old format until it is committed, and a kill leaves it.
    """
    try:
        with closing(connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for number in range(schema_of(connection), wanted):
                    steps[number](connection)
                connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (wanted,))
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise unusable(path, error) from error
