"""The work trees of one repository: the main one, and those that ``git worktree add`` made."""

from __future__ import annotations

from pathlib import Path

from codeintel_rev.io.git import GitRepo, locate
from codeintel_rev.io.journal import WORKTREE

_LINKED = f"{WORKTREE}:"


def is_worktree(ref: str) -> bool:
    """Return whether a snapshot is of a work tree, and not of a commit."""
    return ref == WORKTREE or ref.startswith(_LINKED)


def worktree_ref(repo: GitRepo) -> str:
    """Return the name under which the snapshot of a work tree is kept."""
    return WORKTREE if repo.git_dir == repo.common_dir else _LINKED + repo.git_dir.name


def ref_of_root(root: Path) -> str:
    """Return the name under which the snapshot of the folder ``root`` is kept."""
    repo = locate(root)
    return worktree_ref(repo) if repo is not None and repo.root == root else WORKTREE


def tree_roots(root: Path, identity: str) -> dict[str, Path]:
    """Return the folders of a repository's work trees by the name of their snapshot.

    ``root`` is the one it was first indexed from, which need not be under git.
    """
    return worktree_roots(Path(identity)) | {ref_of_root(root): root}


def worktree_roots(common_dir: Path) -> dict[str, Path]:
    """Return the folder of every work tree of a repository, by the name of its snapshot.

    A folder counts only when its own ``.git`` leads back here: what a repository says of other
    places is not trusted.
    """
    folders = [common_dir.parent]
    for entry in sorted(common_dir.glob("worktrees/*/gitdir")):
        try:
            text = entry.read_text(encoding="utf-8", errors="surrogateescape")
            folders.append(Path(text.strip()).parent)
        except OSError:
            continue
    found = {}
    for folder in folders:
        repo = locate(folder)
        if repo is not None and (repo.root, repo.common_dir) == (folder, common_dir):
            found[worktree_ref(repo)] = folder
    return found


def is_bare(path: Path) -> bool:
    """Return whether a folder is itself a git folder, and not a work tree with one in it."""
    return (
        (path / "HEAD").is_file()
        and (path / "objects").is_dir()
        and (path / "refs").is_dir()
        and not (path / ".git").exists()
    )
