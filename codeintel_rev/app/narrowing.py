"""Fewer chunks to scan: those in files that ripgrep found, and those that it cannot speak for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.searched_lines import SearchedLines
from codeintel_rev.io import ripgrep
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.types import LinePattern

FEW_ROWS: Final = 1_000
"""So many chunks are read and scanned sooner than a process is started."""


def narrowed(
    rows: NDArray[np.int64],
    view: RepositoryView,
    lines: SearchedLines,
    pattern: LinePattern,
    left_s: Callable[[], float],
) -> NDArray[np.int64]:
    """Return those of ``rows`` among which all their matches are, ascending.

    Only of one work tree: nothing but the index knows what stood in a commit. A file that was edited
    since it was indexed is scanned as it was.
    """
    root = view.root_of(view.snapshot)
    if len(rows) <= FEW_ROWS or len(view.snapshots) > 1 or root is None:
        return rows
    if not ripgrep.is_installed() or not ripgrep.can_narrow(pattern):
        return rows
    present = _unchanged(view, view.snapshot, root)
    asked = [path for path in lines.paths if path in present]
    found = ripgrep.files_with(root, asked, pattern, left_s())
    if found is None:
        return rows
    wanted = [path in found or path not in present for path in lines.paths]
    of_text = np.array(wanted, dtype=np.bool_)[lines.texts.paths]
    return np.intersect1d(rows, lines.texts.rows[of_text])


def _unchanged(view: RepositoryView, snapshot: Snapshot, root: Path) -> set[str]:
    """Return the files that hold what was indexed."""
    return {
        file.path
        for file in view.catalog.listing(snapshot)
        if _state(f"{root}/{file.path}") == (file.size, file.mtime_ns)
    }


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
