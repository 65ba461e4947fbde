"""What every surface accepts: queries, limits and scopes, checked in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from codeintel_rev.errors import InvalidArgument, QueryTooLong
from codeintel_rev.text.globs import GlobSet
from codeintel_rev.text.languages import canonical_language
from codeintel_rev.types import Scope

MAX_LIMIT = 1000
"""The most hits that one search may be asked for."""

_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line ends, and bytes that were no UTF-8."""


def checked_query(query: str, max_chars: int) -> str:
    """Return ``query`` without surrounding white space; raises as ``checked_text``."""
    return checked_text(query, max_chars).strip()


def checked_line(query: str, max_chars: int) -> str:
    """Return a query for an exhaustive search, in which white space counts.

    Raises as ``checked_text``, and ``InvalidArgument`` for more than one line.
    """
    if "\n" in checked_text(query, max_chars) or "\r" in query:
        raise InvalidArgument(
            "the query has several lines, but lines are searched one by one",
            hint="look for one of them",
            value=f"{query[:40]}...",
        )
    return query


def checked_text(query: str, max_chars: int) -> str:
    """Return ``query`` as it is.

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
    if odd := _NO_TEXT.search(query):
        name = f"U+{ord(odd[0]):04X}"
        what = "the control character" if odd[0] <= "\x9f" else "no UTF-8 but"
        raise InvalidArgument(
            f"the query holds {what} {name} at position {odd.start() + 1}",
            hint="remove it; paste plain text",
            value=name,
        )
    if not query.strip():
        raise InvalidArgument("the query is empty", hint="say what to look for", value=query)
    return query


def plain_text(text: str) -> str:
    """Return ``text`` with a space for each character that ``checked_query`` refuses."""
    return _NO_TEXT.sub(" ", text)


def checked_limit(limit: int) -> int:
    """Return ``limit``; raises ``InvalidArgument`` unless it lies in 1 to ``MAX_LIMIT``."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidArgument(
            f"the limit is {limit}", hint=f"ask for 1 to {MAX_LIMIT} hits", value=str(limit)
        )
    return limit


def checked_listed(limit: int | None, most: int) -> int:
    """Return how many hits an exhaustive search lists: ``limit``, else ``most``.

    Raises ``InvalidArgument`` unless a given limit lies in 1 to ``most``.
    """
    if limit is not None and not 1 <= limit <= most:
        raise InvalidArgument(
            f"the limit is {limit}",
            hint=f"ask for 1 to {most} hits, or leave it out for all",
            value=str(limit),
        )
    return most if limit is None else limit


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
    refs: Sequence[str] = (),
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
            branches=list(refs) or None,
            include_globs=list(include) or None,
            exclude_globs=list(exclude) or None,
            languages=list(languages) or None,
        )
    )
