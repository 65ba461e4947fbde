"""What every surface accepts: queries, limits and scopes, checked in one place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import msgspec

from codeintel_rev.errors import InvalidArgument, QueryTooLong
from codeintel_rev.text.globs import GlobSet
from codeintel_rev.text.languages import canonical_language
from codeintel_rev.types import Scope

MAX_LIMIT = 1000
"""The most hits that one search may be asked for."""

_ALLOWED = "\t\n\r"
"""Control characters that text pasted from a file or an issue holds."""


def checked_query(query: str, max_chars: int) -> str:
    """Return ``query`` without surrounding white space.

    A control character is refused and not removed: it is the trace of a mistake (a binary file, a
    terminal's colours), and whoever made it should see it.

    Raises ``InvalidArgument`` for a blank query, a control character, or text that is no Unicode;
    ``QueryTooLong`` beyond ``max_chars`` characters.
    """
    if len(query) > max_chars:
        raise QueryTooLong(
            f"the query has {len(query):,} characters, {max_chars:,} are accepted",
            hint="shorten it",
            value=f"{query[:40]}...",
        )
    for position, char in enumerate(query, start=1):
        if unicodedata.category(char) in ("Cc", "Cs") and char not in _ALLOWED:
            raise InvalidArgument(
                f"the query holds U+{ord(char):04X} at character {position}, which is no text",
                hint="remove it; paste plain text",
                value=f"U+{ord(char):04X}",
            )
    stripped = query.strip()
    if not stripped:
        raise InvalidArgument("the query is empty", hint="say what to look for", value=query)
    return stripped


def checked_limit(limit: int) -> int:
    """Return ``limit``; raises ``InvalidArgument`` unless it lies in 1 to ``MAX_LIMIT``."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidArgument(
            f"the limit is {limit}", hint=f"ask for 1 to {MAX_LIMIT} hits", value=str(limit)
        )
    return limit


def checked_scope(scope: Scope | None) -> Scope | None:
    """Return ``scope`` with canonical language names, ``None`` when it restricts nothing.

    Raises ``UnknownLanguage`` or ``BadGlob``.
    """
    if scope is None or scope == Scope():
        return None
    GlobSet(scope.include_globs or (), scope.exclude_globs or ())
    if scope.languages is None:
        return scope
    languages = dict.fromkeys(canonical_language(name) for name in scope.languages)
    return msgspec.structs.replace(scope, languages=list(languages))


def scope_of(
    *,
    repos: Sequence[str] = (),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> Scope | None:
    """Return the checked scope of these restrictions; an empty one does not restrict.

    Raises ``UnknownLanguage`` or ``BadGlob``.
    """
    return checked_scope(
        Scope(
            repos=list(repos) or None,
            include_globs=list(include) or None,
            exclude_globs=list(exclude) or None,
            languages=list(languages) or None,
        )
    )
