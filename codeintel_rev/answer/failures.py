"""What the log says of a part of an answer that failed."""

from __future__ import annotations

import logging

from codeintel_rev.errors import CodeIntelError


def tell_failure(log: logging.Logger, what: str, error: Exception) -> None:
    """Log that ``what`` failed: in one line, or with its traceback where nobody foresaw it.

    A model server that is away fails every question, and fifty lines for each say no more.
    """
    foreseen = isinstance(error, CodeIntelError)
    log.warning("%s failed: %s", what, error, exc_info=None if foreseen else error)
