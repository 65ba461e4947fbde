"""A folder's path as DuckDB's ``file_search_path`` takes it: commas separate paths there."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from codeintel_rev.errors import Unavailable


def search_path(folder: Path) -> str:
    """Return a path of ``folder`` without a comma, a link to it where its own has one.

    Raises ``Unavailable`` when temporary files lie behind a comma too.
    """
    absolute = folder.absolute()
    return str(_link(absolute) if "," in str(absolute) else absolute)


@cache
def _link(folder: Path) -> Path:
    """Make a link that lives as long as the process: databases of one file share their settings."""
    link = Path(_links().name) / secrets.token_hex(8)
    if "," in str(link):
        raise Unavailable(
            f"DuckDB cannot read a catalog whose path holds a comma: {folder}",
            hint="name a folder without one with --data-dir, or with TMPDIR",
            value=str(folder),
        )
    link.symlink_to(folder, target_is_directory=True)
    return link


@cache
def _links() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="codeintel-")
