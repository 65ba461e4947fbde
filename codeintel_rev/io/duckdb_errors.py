"""What DuckDB's errors mean to who asked: one table, from its exceptions to ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from codeintel_rev.errors import (
    Busy,
    CodeIntelError,
    DeadlineExceeded,
    IndexDamaged,
    IndexForeign,
    IndexMissing,
    Unavailable,
)

MISTAKES = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConstraintException,
    duckdb.ConversionException,
    duckdb.DependencyException,
    duckdb.HTTPException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
    duckdb.OutOfRangeException,
    duckdb.ParserException,
    duckdb.PermissionException,
    duckdb.ResourceInUseException,
    duckdb.SequenceException,
    duckdb.SyntaxException,
    duckdb.TransactionException,
    duckdb.TypeMismatchException,
)
"""Errors that blame the statement; they reach whoever wrote it as they are."""

_SIGNALLED = "Query interrupted"
"""What DuckDB makes of any exception that a signal handler raises while it runs."""

_REPAIR = "run `codeintel doctor --repair`; searches do without it meanwhile"

_MEANINGS: tuple[tuple[str, type[CodeIntelError], str, str], ...] = (
    (
        "Conflicting lock",
        Busy,
        "is open for writing in another process",
        "end that process; readers share the file, a writer has it to itself",
    ),
    (
        "different configuration",
        Busy,
        "is open in this process in the other way, for reading or for writing",
        "close the other one first",
    ),
    ("Table with name chunks", IndexForeign, "holds no chunks", _REPAIR),
    ("does not exist", IndexMissing, "does not exist", "run `codeintel compact` to make it"),
    ("Trying to read a database file with version", IndexForeign, "has another format", _REPAIR),
)
"""Words of DuckDB that tell apart what it raises alike: the words, the error, its text, the hint."""


@contextmanager
def explained(path: Path | str, *, sound: bool = False) -> Iterator[None]:
    """Raise ours for what DuckDB raises about the database ``path`` or what it reads.

    Ctrl-C stays what it is. ``sound`` statements are right whenever the database is, so they are never to blame.
    """
    try:
        yield
    except duckdb.Error as error:
        if (told := meaning(path, error, sound=sound)) is None:
            raise
        raise told from error
    except RuntimeError as error:
        if str(error) != _SIGNALLED:
            raise
        raise KeyboardInterrupt from error


def meaning(path: Path | str, error: duckdb.Error, *, sound: bool = False) -> CodeIntelError | None:
    """Return what ``error`` means about the database ``path``; ``None`` for a faulty statement."""
    name, value = Path(path).name, str(path)
    first = (str(error).splitlines() or [""])[0]
    if isinstance(error, duckdb.InterruptException):
        return DeadlineExceeded(
            "the query took too long and was interrupted",
            hint="narrow it, or raise DUCKDB_TIMEOUT_MS",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return Unavailable(
            f"the query needs more memory than {name} may use",
            hint="narrow it, or raise DUCKDB_MEMORY_LIMIT_MB",
            value=value,
        )
    for words, kind, what, hint in _MEANINGS:
        if words in first:
            return kind(f"the catalog {name} {what}", hint=hint, value=value)
    # a broken Parquet file is told as invalid input, like a faulty statement
    if isinstance(error, MISTAKES) and not sound and "parquet" not in first.lower():
        return None
    return IndexDamaged(f"the catalog {name} cannot be read: {first}", hint=_REPAIR, value=value)
