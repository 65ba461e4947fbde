"""The exceptions of codeintel_rev.

The tree::

    CodeIntelError
    ├── InvalidArgument          invalid_argument
    │   ├── QueryTooLong         query_too_long
    │   ├── UnknownLanguage      unknown_language
    │   ├── BadGlob              bad_glob
    │   ├── PathOutsideRoot      path_outside_root
    │   ├── UnsupportedEncoding  unsupported_encoding
    │   └── SettingsError        invalid_argument
    ├── NotFound                 not_found
    │   └── NotARepository       not_found
    ├── ScopeEmpty               scope_empty
    ├── IndexUnusable            index_missing
    │   ├── IndexMissing         index_missing
    │   ├── IndexForeign         index_missing
    │   └── IndexDamaged         index_missing
    ├── Unauthenticated          unauthenticated
    ├── Forbidden                forbidden
    ├── RateLimited              rate_limited
    ├── Busy                     busy
    ├── DeadlineExceeded         deadline
    └── Unavailable              unavailable
        └── StorageFailed        unavailable

Every error says what happened (``message``), which value caused it (``value``) and what to do
about it (``hint``). ``code`` is the word that every surface reports.
"""

from __future__ import annotations

from typing import ClassVar


class CodeIntelError(Exception):
    """Base of every error that codeintel_rev raises on purpose."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", value: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.value = value


class InvalidArgument(CodeIntelError):
    """Raised when a caller's value cannot be used at all."""

    code = "invalid_argument"


class QueryTooLong(InvalidArgument):
    """Raised when a query exceeds the accepted number of characters."""

    code = "query_too_long"


class UnknownLanguage(InvalidArgument):
    """Raised when a language filter names a language that is not known."""

    code = "unknown_language"


class BadGlob(InvalidArgument):
    """Raised when a glob pattern cannot be read."""

    code = "bad_glob"


class PathOutsideRoot(InvalidArgument):
    """Raised when a path leaves the root of its repository."""

    code = "path_outside_root"


class UnsupportedEncoding(InvalidArgument):
    """Raised when a file's bytes are no text in a supported encoding."""

    code = "unsupported_encoding"


class SettingsError(InvalidArgument):
    """Raised when the environment or the configuration file holds bad values, all of them named."""


class NotFound(CodeIntelError):
    """Raised when a named file, symbol, repository or row does not exist."""

    code = "not_found"


class NotARepository(NotFound):
    """Raised when a path to index is no readable folder or repository, or holds nothing to index."""


class ScopeEmpty(CodeIntelError):
    """Raised when a scope selects no file at all."""

    code = "scope_empty"


class IndexUnusable(CodeIntelError):
    """Base of the errors about an index that cannot be served."""

    code = "index_missing"


class IndexMissing(IndexUnusable):
    """Raised when a data directory holds no index."""


class IndexForeign(IndexUnusable):
    """Raised when an index was made by another format version or another embedding model."""


class IndexDamaged(IndexUnusable):
    """Raised when a file of the index is missing, truncated or fails its checks."""


class Unauthenticated(CodeIntelError):
    """Raised when a server wants to know who is calling and was not told."""

    code = "unauthenticated"


class Forbidden(CodeIntelError):
    """Raised when a caller is known and may not do this, or comes from where nobody may."""

    code = "forbidden"


class RateLimited(CodeIntelError):
    """Raised when a caller asks more often than they may."""

    code = "rate_limited"


class Busy(CodeIntelError):
    """Raised when a lock is held by another process and waiting was not wanted."""

    code = "busy"


class DeadlineExceeded(CodeIntelError):
    """Raised when a mandatory stage did not finish in time; names the stage and its limit."""

    code = "deadline"


class Unavailable(CodeIntelError):
    """Raised when a configured service or driver does not work."""

    code = "unavailable"


class StorageFailed(Unavailable):
    """Raised when the disk takes no more data: it is full, read-only or broken."""
