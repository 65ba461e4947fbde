"""Every line that holds a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.served.paths import checked_path
from codeintel_rev.mcp_server.scopes import joined
from codeintel_rev.types import Scope, SearchHit

Document = dict[str, Any]

MAX_PREVIEW_CHARS: Final = 300

_GLOB_SIGNS: Final = re.compile(r"([\\*?\[\]{}!#])")
_ESCAPED: Final = r"\\\1"


def search_text(
    index: LocalIndex,
    query: str,
    *,
    regex: bool,
    case_sensitive: bool,
    paths: Sequence[str],
    scope: Scope | None,
    max_results: int,
) -> Document:
    """Return the lines that hold ``query``, or match it, by repository, path and line.

    ``paths`` are files and folders to look into. Raises ``InvalidArgument`` for an expression that
    cannot be read, ``PathOutsideRoot`` and ``DeadlineExceeded``.
    """
    found = index.search_all(
        query,
        regex=regex,
        case_sensitive=case_sensitive,
        limit=max_results,
        scope=_within(scope, paths),
    )
    total = found.total or 0
    named = len(index.opened) > 1
    return {
        "matches": [_match(hit, named=named) for hit in found.hits],
        "total": total,
        "truncated": total > len(found.hits),
        "limits": list(found.limits),
    }


def _within(scope: Scope | None, paths: Sequence[str]) -> Scope | None:
    """Return the scope narrowed to files and folders."""
    places = [checked_path(path) for path in paths]
    if not places or "" in places:  # the root holds everything
        return scope
    globs = [f"./{_GLOB_SIGNS.sub(_ESCAPED, place)}" for place in places]
    return joined(scope, Scope(include_globs=globs))


def _match(hit: SearchHit, *, named: bool) -> Document:
    """Return the document of a line; of a long one, what stands around the match."""
    column = hit.column or 1
    start = max(0, min(column - 1, len(hit.code) - MAX_PREVIEW_CHARS))
    preview = hit.code[start : start + MAX_PREVIEW_CHARS]
    match: Document = {
        "path": hit.uri,
        "line": hit.start_line,
        "column": column,
        "preview": preview,
    }
    return match | ({"repo": hit.repo} if named else {})
