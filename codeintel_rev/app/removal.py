"""Taking a whole repository out of a data directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from codeintel_rev.app.repository import size_on_disk
from codeintel_rev.errors import NotFound
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.registry import Registry, Repository


class RemovedRepository(msgspec.Struct, frozen=True):
    """A repository that is no longer there."""

    name: str
    bytes: int
    """What its index, and its mirror if it had one, took on disk."""


class RemovalReport(msgspec.Struct, frozen=True):
    """What one run of ``remove`` did."""

    repos: list[RemovedRepository]


def remove_repositories(
    data_dir: Path,
    names: Sequence[str],
    *,
    wait: bool = True,
    on_wait: Callable[[str], None] | None = None,
) -> RemovalReport:
    """Delete the indexes of the repositories called ``names``; their own files are not touched.

    Raises ``NotFound`` for an unknown name, before anything is deleted, and ``Busy`` when another
    process writes and ``wait`` is off.
    """
    timeout_s = None if wait else 0.0
    registry = Registry(data_dir)
    try:
        known = {repository.name: repository for repository in registry.repositories()}
        for name in names:
            if name not in known:
                raise NotFound(
                    f"there is no repository {name!r} in {data_dir}",
                    hint=f"known are: {', '.join(known) or 'none'}",
                    value=name,
                )
        found = [known[name] for name in dict.fromkeys(names)]
        return RemovalReport([_remove(registry, one, timeout_s, on_wait) for one in found])
    finally:
        registry.close()


def _remove(
    registry: Registry,
    repository: Repository,
    timeout_s: float | None,
    on_wait: Callable[[str], None] | None,
) -> RemovedRepository:
    folder = RepositoryFolder(registry.folder(repository))
    places = [folder.path, *_mirror(registry, repository)]
    with ExitStack() as stack:
        if folder.path.exists():
            for lock in (folder.compactor_lock, folder.writer_lock):
                stack.enter_context(file_lock.hold(lock, timeout_s=timeout_s, on_wait=on_wait))
        freed = sum(map(size_on_disk, places))
        registry.remove(repository)
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
    return RemovedRepository(repository.name, freed)


def _mirror(registry: Registry, repository: Repository) -> list[Path]:
    """Return the mirror that was made for this repository, if there is one."""
    root, mirrors = Path(repository.root), registry.data_dir.resolve() / "mirrors"
    return [root] if root.is_relative_to(mirrors) else []
