"""HEAD is read as git reads it, or left to git."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_rev.io.git_head import read_head

from .test_git import bare_configuration, commit_all, found, git, root

__all__ = ["bare_configuration", "root"]


def told_by_git(root: Path) -> tuple[str | None, str]:
    name = git(root, "rev-parse", "--symbolic-full-name", "HEAD")
    branch = name.removeprefix("refs/heads/") if name.startswith("refs/") else None
    return branch, git(root, "rev-parse", "HEAD")


def on_a_branch_with_slashes(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "feature/one-more")


def packed(root: Path) -> None:
    git(root, "branch", "other")
    git(root, "pack-refs", "--all")
    assert not (root / ".git" / "refs" / "heads" / "main").exists()


def packed_and_moved_on(root: Path) -> None:
    packed(root)
    (root / "a.py").write_text("a = 2\n")
    commit_all(root)


def detached(root: Path) -> None:
    git(root, "checkout", "-q", "--detach")


def in_the_middle_of_a_rebase(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "mine")
    (root / "a.py").write_text("a = 'mine'\n")
    commit_all(root)
    git(root, "checkout", "-q", "main")
    (root / "a.py").write_text("a = 'main'\n")
    commit_all(root)
    with pytest.raises(Exception, match="rebase"):
        git(root, "rebase", "main", "mine")
    assert (root / ".git" / "rebase-merge").exists()


@pytest.mark.parametrize(
    "prepare",
    [
        lambda root: None,
        on_a_branch_with_slashes,
        packed,
        packed_and_moved_on,
        detached,
        in_the_middle_of_a_rebase,
    ],
)
def test_branch_and_commit_are_those_that_git_tells(
    root: Path, prepare: Callable[[Path], None]
) -> None:
    prepare(root)
    repo = found(root)
    assert read_head(repo.git_dir, repo.common_dir) == told_by_git(root) == repo.head()


def test_a_linked_work_tree_has_a_head_of_its_own(root: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    git(root, "worktree", "add", "-q", "-b", "aside", str(tree))
    repo = found(tree)
    assert read_head(repo.git_dir, repo.common_dir) == told_by_git(tree)
    assert told_by_git(tree)[0] == "aside"


@pytest.mark.parametrize(
    "head",
    [
        "ref: refs/heads/unborn\n",
        "ref: refs/heads/../../../secret\n",
        "ref: refs/heads/.invalid\n",
        "ref: refs/remotes/origin/main\n",
        "no ref at all\n",
        "",
    ],
)
def test_what_is_not_plain_is_left_to_git(root: Path, head: str) -> None:
    (root.parent / "secret").write_text("0" * 40)
    (root / ".git" / "HEAD").write_text(head)
    assert read_head(root / ".git", root / ".git") is None


def test_a_trap_in_place_of_a_file_is_left_to_git(root: Path) -> None:
    head = root / ".git" / "HEAD"
    (root / ".git" / "refs" / "heads" / "main").unlink()
    os.mkfifo(root / ".git" / "refs" / "heads" / "main")
    assert read_head(root / ".git", root / ".git") is None
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert read_head(root / ".git", root / ".git") is None


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_branch_whose_name_is_not_utf_8_is_shown_with_a_sign(
    root: Path, *, is_packed: bool
) -> None:
    git(root, "checkout", "-q", "-b", os.fsdecode(b"caf\xe9"))
    if is_packed:
        git(root, "pack-refs", "--all")
    repo = found(root)
    assert read_head(repo.git_dir, repo.common_dir) == ("caf\ufffd", git(root, "rev-parse", "HEAD"))
