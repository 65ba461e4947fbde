"""Listing and opening files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.served.paths import checked_path, decoded, found_file, lines_of, views
from codeintel_rev.errors import InvalidArgument, NotFound, UnsupportedEncoding
from codeintel_rev.io.journal import ListedFile
from codeintel_rev.types import Scope

Document = dict[str, Any]

MAX_LINES: Final = 2_000
MAX_CHARS: Final = 200_000
"""What one call returns of a file at most."""

_NUL: Final = b"\0"


def repositories(index: LocalIndex) -> Document:
    """Return the repositories by name, and the snapshots that are held of each."""
    return {
        "repositories": [
            {
                "name": opened.repository.name,
                "snapshots": [
                    {"ref": snapshot.ref, "branch": snapshot.branch, "commit": snapshot.commit}
                    for snapshot in opened.snapshots()
                ],
            }
            for opened in index.opened
        ]
    }


def list_paths(index: LocalIndex, path: str, scope: Scope | None, max_results: int) -> Document:
    """Return the indexed files in scope at or below ``path``, by repository and path.

    Raises ``NotFound`` when there is no such folder or file.
    """
    path = checked_path(path)
    items: list[Document] = []
    named = len(index.opened) > 1
    total = seen = 0
    for view, passes in views(index, scope):
        repo = {"repo": view.repository.name} if named else {}
        for file, is_tree in _files(view, path):
            seen += 1
            if passes.match(file.path, file.lang):
                total += 1
                if len(items) < max_results:
                    modified = _time(file.mtime_ns) if is_tree else None
                    item = {"path": file.path, "size": file.size, "modified": modified}
                    items.append(item | repo)
    if path and not seen:
        raise NotFound(
            f"no indexed file is at or below {path!r}", hint="list the root first", value=path
        )
    return {"items": items, "total": total, "truncated": total > len(items)}


def open_file(
    index: LocalIndex,
    path: str,
    start_line: int | None,
    end_line: int | None,
    scope: Scope | None,
) -> Document:
    """Return lines of a file as it is now, all or a range; what is too much is cut and told.

    Raises ``NotFound``, ``UnsupportedEncoding`` for bytes that are no text, and ``InvalidArgument``
    for lines that it does not have.
    """
    with found_file(index, path, scope) as found:
        data = found.data()
        if _NUL in data[:8192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UnsupportedEncoding(f"{path} is no text", hint="only text is shown", value=path)
        lines = lines_of(decoded(data))
        first, last = _checked_range(path, len(lines), start_line, end_line)
        shown = lines[first - 1 : min(last, first + MAX_LINES - 1)]
        content = "".join(shown)[:MAX_CHARS]
        told = first + max(len(lines_of(content)), 1) - 1
        return {
            "path": found.record.path,
            "content": content,
            "lines": len(lines),
            "size": len(data),
            "start_line": first,
            "end_line": min(told, last),
            "truncated": told < last,
        }


def _files(view: RepositoryView, path: str) -> Iterator[tuple[ListedFile, bool]]:
    """Yield each file at or below ``path`` once, and whether it lies in a work tree."""
    known: set[str] = set()
    for snapshot in view.snapshots:
        is_tree = view.root_of(snapshot) is not None
        for file in view.catalog.listing(snapshot, path):
            if file.path not in known:
                known.add(file.path)
                yield file, is_tree


def _checked_range(path: str, lines: int, start: int | None, end: int | None) -> tuple[int, int]:
    first = 1 if start is None else start
    last = max(lines, 1) if end is None else min(end, max(lines, 1))
    if first < 1 or (end is not None and end < first) or first > max(lines, 1):
        raise InvalidArgument(
            f"{path} has {lines} lines, not {first} to {last if end is None else end}",
            hint="lines count from 1, and a range includes both ends",
            value=f"{start}-{end}",
        )
    return first, last


def _time(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat(timespec="seconds")
