"""Telling a disk that takes no more data from everything else that can go wrong while writing."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codeintel_rev.errors import Busy, CodeIntelError, StorageFailed

_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
_SQLITE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_CANTOPEN: "a file cannot be opened",
    sqlite3.SQLITE_IOERR: "a write failed",
}
_READ_FAILED = (
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
)
"""The ways of ``SQLITE_IOERR`` in which the disk gives wrong data instead of taking none."""

_RUST_ERRNO = re.compile(r"\bcode: (\d+)|\bos error (\d+)")
"""How an error of the operating system looks in the text of a tantivy error."""


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Raise ``StorageFailed`` naming ``folder`` when its disk takes no more data in this block."""
    try:
        yield
    except (OSError, sqlite3.OperationalError, ValueError) as error:
        if (told := failure(folder, error)) is None:
            raise
        raise told from error


def failure(folder: Path, error: Exception) -> StorageFailed | None:
    """Return what to tell when ``error`` means that a disk takes no more data, else ``None``."""
    why = _reason(error)
    if why is None:
        return None
    return StorageFailed(
        f"nothing can be written to {folder}: {why}",
        hint="free space on its disk, or name another folder with --data-dir",
        value=str(folder),
    )


def locked(path: Path, error: Exception) -> CodeIntelError | None:
    """Return what to tell when another process kept the database ``path`` locked, else ``None``."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
        return None
    return Busy(
        f"{path.name} is locked by another process that does not go on",
        hint=f"a stopped or hanging codeintel process keeps it; `fuser {path}` names it",
        value=str(path),
    )


def _reason(error: Exception) -> str | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return None if code in _READ_FAILED else _SQLITE.get(code & 0xFF)
    number = error.errno if isinstance(error, OSError) else _errno_in(str(error))
    return os.strerror(number) if number in _ERRNOS else None


def _errno_in(text: str) -> int | None:
    found = _RUST_ERRNO.search(text)
    return int(found[1] or found[2]) if found else None
