"""Index repositories, search them, and ask questions whose answers cite their sources.

Importing this package loads none of its drivers; the first use of a name does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.errors import CodeIntelError
    from codeintel_rev.types import AnswerEnvelope, Scope, SearchHit, SearchResult

__version__ = "0.1.0"

__all__ = [
    "AnswerEnvelope",
    "CodeIntelError",
    "LocalIndex",
    "Scope",
    "SearchHit",
    "SearchResult",
    "__version__",
    "open",
]

_HOMES = {
    "AnswerEnvelope": "types",
    "CodeIntelError": "errors",
    "LocalIndex": "app.local",
    "Scope": "types",
    "SearchHit": "types",
    "SearchResult": "types",
}
"""Exported name -> the module that defines it."""


def open(  # noqa: A001  (read as `codeintel_rev.open`)
    path: str | os.PathLike[str] = ".",
    *,
    data_dir: str | os.PathLike[str] | None = None,
    watch: bool = False,
) -> LocalIndex:
    """Open the index of the repository at ``path``, made or brought up to date first.

    ``data_dir`` names the folder of the index; without it the index lies in ``.codeintel/`` in the
    repository. With ``watch``, edits are indexed as they happen for as long as it is open. The
    result is a context manager.

    Raises ``NotARepository`` when ``path`` is no readable folder, ``IndexUnusable`` when the index
    cannot be served.
    """
    from pathlib import Path

    from codeintel_rev.app.local import open_index

    index = open_index(Path(path), data_dir=None if data_dir is None else Path(data_dir))
    if watch:
        index.watch()
    return index


def __getattr__(name: str) -> object:
    """Load an exported name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return what this package is for, so that a shell completes it."""
    return __all__
