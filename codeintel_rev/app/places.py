"""What can be indexed: a work tree, a bare repository, a mirror of one, or a plain folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.data_dir import address_policy, ensure
from codeintel_rev.config.settings import MirrorConfig
from codeintel_rev.io import git
from codeintel_rev.io.git_address import is_address, parse_address, public_ip
from codeintel_rev.io.git_worktrees import is_bare, worktree_ref
from codeintel_rev.io.journal import WORKTREE
from codeintel_rev.io.mirrors import update_mirror
from codeintel_rev.io.registry import Registry, Repository


class Place(NamedTuple):
    """Where the files of a repository come from."""

    root: Path
    """Folder of the work tree, or the git folder of a bare repository."""
    identity: str
    """What makes it this repository: see ``Repository.identity``."""
    name: str
    """What it is called unless somebody says otherwise."""
    git_dir: Path | None = None
    """Where its commits lie; ``None`` outside git, and for a part of a repository."""
    worktree: str | None = None
    """Name of the work tree's snapshot; ``None`` for a bare repository."""


def mirrored_place(
    text: str, data_dir: Path, settings: MirrorConfig, on_wait: Callable[[str], None] | None
) -> Place:
    """Fetch the repository at an address and return its mirror; raises as ``update_mirror``."""
    policy = address_policy(settings)
    address = parse_address(text, policy)
    ip = public_ip(address, policy)  # before anything is written
    ensure(data_dir)
    folder = update_mirror(data_dir, address, ip, timeout_s=settings.timeout_s, on_wait=on_wait)
    return Place(folder, address.url, address.name, folder)


def present(registry: Registry, repository: Repository) -> Repository | None:
    """Return a registered repository as it lies now; ``None`` when its folder is gone.

    The copy of a repository is another one, and so is a folder that came under git.
    """
    root = Path(repository.root)
    if not root.is_dir():
        return None
    if is_address(repository.identity) or repository.identity == _seeming_identity(root):
        return repository
    place = find_place(root)
    if any(other.identity == place.identity for other in registry.repositories()):
        return repository
    return registry.register(place.root, place.identity, None)


def _seeming_identity(root: Path) -> str:
    """Return what ``find_place`` most likely would, without asking git."""
    repo = None if is_bare(root) else git.locate(root)
    return str(repo.common_dir if repo is not None and repo.root == root else root)


def find_place(root: Path) -> Place:
    """Say what the resolved folder ``root`` is; raises as ``git.discover``.

    A folder inside a work tree is a repository of its own, without history.
    """
    name = root.name or "root"
    if is_bare(root):
        return Place(root, str(root), name.removesuffix(".git") or "root", root)
    repo = git.discover(root)
    if repo is None or repo.root != root:
        return Place(root, str(root), name, None, WORKTREE)
    return Place(root, str(repo.common_dir), name, repo.common_dir, worktree_ref(repo))
