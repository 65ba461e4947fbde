"""What callers are told of an error: paths and states of this machine stay in its log."""

from __future__ import annotations

import logging

from codeintel_rev.errors import (
    CodeIntelError,
    IndexMissing,
    IndexUnusable,
    NotARepository,
    StorageFailed,
    Unavailable,
)

_log = logging.getLogger(__name__)


def public(error: CodeIntelError) -> CodeIntelError:
    """Return ``error`` as those who call a server may see it; what is left out is logged."""
    if isinstance(error, IndexUnusable):
        told: CodeIntelError = IndexMissing(
            "the index cannot be served now", hint="try again later; the server's log tells why"
        )
    elif isinstance(error, StorageFailed | NotARepository):
        told = Unavailable(
            "the server cannot read what it needs", hint="the server's log tells why"
        )
    else:
        return error
    _log.warning("%s (%s)", error.message, error.hint)
    return told
