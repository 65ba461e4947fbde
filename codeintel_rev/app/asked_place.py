"""Whether the file, or the line of it, that a query names is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.retrieval.query import ParsedQuery
from codeintel_rev.text.languages import TEXT, language_of

NO_FILE: Final = "path_not_found"
NO_LINE: Final = "line_not_found"

_PATH: Final = re.compile(r"^[\w.@+~-]*(?:/[\w.@+~-]+)*\.\w{2,10}$")
"""One word that ends in a suffix; those of one letter are members more often than files."""


def missing_place(query: ParsedQuery, views: Sequence[RepositoryView]) -> list[str]:
    """Return the word for ``limits`` when a query names a place that no view holds."""
    if query.location is None:
        path = asked_path(query.text)
        return [NO_FILE] if path and not _is_held(path, views) else []
    path, line = query.location
    if any(view.catalog.located(path, line) for view in views):
        return []
    return [NO_LINE] if _is_held(path, views) else [NO_FILE]


def asked_path(text: str) -> str | None:
    """Return the file that a query is the name of, told from the text alone."""
    path = text.strip().replace("\\", "/").removeprefix("./")
    is_file = _PATH.match(path) and ("/" in path or language_of(path) != TEXT)
    return path.lstrip("/") if is_file else None


def _is_held(path: str, views: Sequence[RepositoryView]) -> bool:
    return any(view.catalog.has_file(path) for view in views)
