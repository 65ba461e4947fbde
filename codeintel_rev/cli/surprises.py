"""What ends a command that no part of the program foresaw: a path, the memory, or a fault of ours."""

from __future__ import annotations

import errno
from typing import Final

from codeintel_rev.cli import exit_codes
from codeintel_rev.errors import CodeIntelError, InvalidArgument, Unavailable

_OF_A_PATH: Final = (
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
)


def explained(error: Exception) -> tuple[CodeIntelError, int]:
    """Return what to tell of an unforeseen error, and the exit code."""
    told: CodeIntelError
    if isinstance(error, OSError) and error.filename and error.errno in _OF_A_PATH:
        path = str(error.filename)
        told = InvalidArgument(f"{path}: {error.strerror}", hint="name another path", value=path)
        code = exit_codes.BAD_INPUT
    elif isinstance(error, MemoryError):
        told = Unavailable("there is no more memory", hint="give the process more, see `ulimit -v`")
        code = exit_codes.SERVICE
    else:
        told = CodeIntelError(f"{type(error).__name__}: {error}", hint="--debug shows where")
        code = exit_codes.INTERNAL
    told.__cause__ = error
    return told, code
