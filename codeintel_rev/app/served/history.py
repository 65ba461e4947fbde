"""Blame and the commits of a file."""

from __future__ import annotations

from typing import Any, Final

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.served.paths import FoundFile, found_file, lines_of
from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.io.git import locate
from codeintel_rev.io.git_history import GitHistory
from codeintel_rev.types import Scope

Document = dict[str, Any]

MAX_BLAMED_LINES: Final = 500


def blame(index: LocalIndex, path: str, start: int, end: int, scope: Scope | None) -> Document:
    """Return the commit behind each line of a range, which includes both ends.

    Raises ``NotFound`` and, for lines that the file does not have, ``InvalidArgument``.
    """
    with found_file(index, path, scope) as found:
        lines = len(lines_of(found.text()))
        if not 1 <= start <= min(end, lines) or end - start >= MAX_BLAMED_LINES:
            raise InvalidArgument(
                f"{path} has {lines} lines, not {start} to {end}",
                hint=f"ask for at most {MAX_BLAMED_LINES} lines of those that it has",
                value=f"{start}-{end}",
            )
        history, inner = _history_of(found)
        return {"blame": [line._asdict() for line in history.blame(inner, start, min(end, lines))]}


def file_history(index: LocalIndex, path: str, limit: int, scope: Scope | None) -> Document:
    """Return the newest ``limit`` commits that changed a file; raises ``NotFound``."""
    with found_file(index, path, scope) as found:
        history, inner = _history_of(found)
        return {
            "commits": [
                {"sha": commit.sha, **commit._asdict()} for commit in history.log(inner, limit)
            ]
        }


def _history_of(found: FoundFile) -> tuple[GitHistory, str]:
    """Return the history that a file has, and what git calls the file."""
    path = found.record.path
    root = found.root
    if root is None:
        return GitHistory(found.git_dir, commit=found.snapshot.commit), path
    repo = locate(root)
    if repo is None:
        raise NotFound(
            f"{found.repo} is a plain folder without a history", hint="index a git repository"
        )
    inner = (root / path).relative_to(repo.root).as_posix()
    return GitHistory(repo.git_dir, tree=repo), inner
