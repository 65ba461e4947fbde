"""Where a name is used: computed from the words of the index, no table of references is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.served.paths import FoundFile, find, lines_of, views
from codeintel_rev.app.served.symbols import MAX_PREVIEW_CHARS, name_at
from codeintel_rev.errors import NotFound
from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.types import Scope

Document = dict[str, Any]

MAX_ROWS: Final = 5_000
"""Chunks that are looked into; a name in more of them is no name but a word."""

MAX_REFERENCES: Final = 500
"""Places that are listed; more are only counted."""


def references_at(
    index: LocalIndex, path: str, line: int, character: int, scope: Scope | None
) -> Document:
    """Return every place in scope where the name at a place stands, its own repository first.

    A name is the same when it is spelled the same, whatever it refers to. Raises ``NotFound``
    where no name stands.
    """
    name, repo, _ = name_at(index, path, line, character, scope)
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    places: list[Document] = []
    complete = True
    for view, _ in views(index, scope):
        terms, mask = tokenize(name)[:1], view.channels.mask
        rows, _scores = view.channels.words.search(terms, MAX_ROWS, mask)
        complete = complete and len(rows) < MAX_ROWS
        for found in _files(view, rows.tolist()):
            places += _places(found, pattern)
    places.sort(key=lambda place: (place["repo"] != repo, place["repo"]))
    return {
        "locations": places[:MAX_REFERENCES],
        "total": len(places),
        "truncated": len(places) > MAX_REFERENCES or not complete,
    }


def _files(view: RepositoryView, rows: list[int]) -> Iterator[FoundFile]:
    """Yield the files that the chunks are in, by path."""
    paths = {head.uri for head in view.catalog.heads(rows).values()}
    for path in sorted(paths):
        found = find(view, path)
        if found is not None:
            yield found


def _places(found: FoundFile, pattern: re.Pattern[str]) -> Iterator[Document]:
    try:
        lines = lines_of(found.text())
    except NotFound:  # deleted since it was indexed
        return
    for number, line in enumerate(lines, start=1):
        for match in pattern.finditer(line):
            yield {
                "path": found.record.path,
                "line": number,
                "column": match.start() + 1,
                "preview": line.strip()[:MAX_PREVIEW_CHARS],
                "repo": found.repo,
            }
