"""Index folders that no repository has: what a process left that was killed while it replaced one."""

from __future__ import annotations

import shutil
from pathlib import Path

from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.registry import KEY, Registry


def left_behind(registry: Registry) -> list[Path]:
    """Return folders that no repository has; none while an index is being built beside another.

    The folders are listed first: one that is made meanwhile is not among them, and whoever makes one
    holds the writer lock of the index that it is to replace.
    """
    parent = registry.data_dir / "repos"
    named = parent.iterdir() if parent.exists() else ()
    found = {folder for folder in named if KEY.fullmatch(folder.name)}
    known = [registry.folder(repository) for repository in registry.repositories()]
    if any(file_lock.holder(RepositoryFolder(folder).writer_lock) for folder in known):
        return []
    known = [registry.folder(repository) for repository in registry.repositories()]
    return sorted(found - set(known))


def clear(registry: Registry) -> None:
    """Delete what was left behind."""
    for folder in left_behind(registry):
        shutil.rmtree(folder, ignore_errors=True)
