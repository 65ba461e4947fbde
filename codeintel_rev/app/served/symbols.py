"""Definitions by name, and what a name in a file means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.served.paths import found_file, lines_of, views
from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.text.kinds import definition_order
from codeintel_rev.types import Scope, Symbol

Document = dict[str, Any]

MAX_DEFINITIONS: Final = 50
MAX_PREVIEW_CHARS: Final = 200

_NAME: Final = re.compile(r"[^\W\d]\w*")
_SEPARATOR: Final = re.compile(r"::|->|#|/")


def find_symbols(
    index: LocalIndex, query: str, kind: str | None, scope: Scope | None, limit: int
) -> Document:
    """Return definitions whose qualified name holds ``query``, the closest names first.

    Raises ``InvalidArgument`` for a blank query.
    """
    wanted = _SEPARATOR.sub(".", query.strip().removesuffix("()"))
    if not wanted:
        raise InvalidArgument("the name is empty", hint="say what to look for", value=query)
    found: list[tuple[tuple[Any, ...], Document]] = []
    for repo, path, symbol in _symbols(index, wanted, kind, scope):
        found.append((_closeness(wanted, path, symbol), symbol_document(repo, path, symbol)))
    found.sort(key=lambda entry: entry[0])
    return {"symbols": [document for _, document in found[:limit]], "total": len(found)}


def definition_at(
    index: LocalIndex, path: str, line: int, character: int, scope: Scope | None
) -> Document:
    """Return where the name at a place is defined: in its own file first, then by repository.

    Raises ``NotFound`` where no name stands.
    """
    name, repo, path = name_at(index, path, line, character, scope)
    found: list[tuple[tuple[Any, ...], Document]] = []
    for view, _ in views(index, scope):
        for at, symbol in _named(view, name):
            nearness = (view.repository.name != repo, at != path, definition_order(symbol.kind))
            found.append(((*nearness, at, symbol.line), _location(view, at, symbol)))
    found.sort(key=lambda entry: entry[0])
    locations = [document for _, document in found[:MAX_DEFINITIONS]]
    return {"locations": locations, "total": len(found), "truncated": len(found) > len(locations)}


def name_at(
    index: LocalIndex, path: str, line: int, character: int, scope: Scope | None
) -> tuple[str, str, str]:
    """Return the name that stands at a place, the repository, and the path in its normal form.

    Raises ``NotFound`` where none stands, and ``InvalidArgument`` for a place that is not there.
    """
    with found_file(index, path, scope) as found:
        lines = lines_of(found.text())
        if not 1 <= line <= len(lines):
            raise InvalidArgument(
                f"{path} has {len(lines)} lines, no line {line}",
                hint="lines count from 1",
                value=str(line),
            )
        text = lines[line - 1]
        for match in _NAME.finditer(text):
            if match.start() < character <= match.end() + 1:
                return match[0], found.repo, found.record.path
    raise NotFound(
        f"no name stands at {path}:{line}:{character}",
        hint="columns count from 1; point at the first character of a name",
        value=f"{line}:{character}",
    )


def symbol_document(repo: str, path: str, symbol: Symbol) -> Document:
    """Return the document of a definition."""
    return {
        "name": symbol.name,
        "qualname": symbol.qualname,
        "kind": symbol.kind,
        "path": path,
        "line": symbol.line,
        "column": symbol.column,
        "start_line": symbol.start_line,
        "end_line": symbol.end_line,
        "doc": symbol.doc,
        "repo": repo,
    }


def _symbols(
    index: LocalIndex, name: str, kind: str | None, scope: Scope | None
) -> Iterator[tuple[str, str, Symbol]]:
    for view, passes in views(index, scope):
        seen: set[tuple[str, str, int]] = set()
        for snapshot in view.snapshots:
            for path, lang, symbol in view.catalog.symbols_like(snapshot, name, kind):
                key = (path, symbol.qualname, symbol.line)
                if key not in seen and passes.match(path, lang):
                    seen.add(key)
                    yield view.repository.name, path, symbol


def _named(view: RepositoryView, name: str) -> Iterator[tuple[str, Symbol]]:
    seen: set[tuple[str, str, int]] = set()
    for snapshot in view.snapshots:
        for path, symbol in view.catalog.symbols_named(snapshot, name, MAX_DEFINITIONS * 4):
            key = (path, symbol.qualname, symbol.line)
            if symbol.name == name and key not in seen:
                seen.add(key)
                yield path, symbol


def _location(view: RepositoryView, path: str, symbol: Symbol) -> Document:
    return {
        "path": path,
        "line": symbol.line,
        "column": symbol.column,
        "preview": symbol.doc[:MAX_PREVIEW_CHARS],
        "name": symbol.qualname,
        "kind": symbol.kind,
        "end_line": symbol.end_line,
        "repo": view.repository.name,
    }


def _closeness(wanted: str, path: str, symbol: Symbol) -> tuple[Any, ...]:
    """Return what orders definitions: how much of the name was asked for, then kind and place."""
    name, lower = symbol.name, wanted.lower()
    asked = wanted.rpartition(".")[2]
    return (
        not (wanted in (name, symbol.qualname) or symbol.qualname.endswith(f".{wanted}")),
        lower not in (name.lower(), symbol.qualname.lower()),
        not name.lower().startswith(asked.lower()),
        definition_order(symbol.kind),
        len(symbol.qualname),
        path,
        symbol.line,
    )
