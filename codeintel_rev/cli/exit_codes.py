"""Exit codes: what a script learns without reading a word."""

from __future__ import annotations

from typing import Final

from codeintel_rev.errors import (
    Busy,
    CodeIntelError,
    DeadlineExceeded,
    Forbidden,
    IndexUnusable,
    InvalidArgument,
    NotFound,
    RateLimited,
    ScopeEmpty,
    Unauthenticated,
    Unavailable,
)

DONE: Final = 0
BELOW: Final = 1
"""A check did not hold: ``doctor`` found a fault, or ``eval`` fell below ``--min``."""
USAGE: Final = 2
BAD_INPUT: Final = 3
INDEX: Final = 4
"""The index is missing, damaged, or made by another version."""
BUSY: Final = 5
SERVICE: Final = 6
"""Something that was configured does not work, or did not finish in time."""
INTERNAL: Final = 70
"""A fault of this program."""
INTERRUPTED: Final = 130
TERMINATED: Final = 143
"""Ended by SIGTERM."""

_BY_ERROR: Final[tuple[tuple[type[CodeIntelError], int], ...]] = (
    (InvalidArgument, BAD_INPUT),
    (NotFound, BAD_INPUT),
    (ScopeEmpty, BAD_INPUT),
    (IndexUnusable, INDEX),
    (Unauthenticated, BAD_INPUT),
    (Forbidden, BAD_INPUT),
    (RateLimited, SERVICE),
    (Busy, BUSY),
    (DeadlineExceeded, SERVICE),
    (Unavailable, SERVICE),
)


def exit_code_of(error: CodeIntelError) -> int:
    """Return the exit code with which ``error`` ends a command."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), INTERNAL)
