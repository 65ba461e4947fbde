"""A folder that is copied or moved together with its index: the copy is searched, not the original."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.io.registry import Registry, Repository

from .conftest import Git, commit, write


def roots(data_dir: Path) -> dict[str, str]:
    with closing(Registry(data_dir)) as registry:
        return {repository.name: repository.root for repository in registry.repositories()}


def only(data_dir: Path) -> Repository:
    with closing(Registry(data_dir)) as registry:
        (repository,) = registry.repositories()
        return repository


def found(root: Path, query: str, data_dir: Path | None = None) -> set[str]:
    with open_index(root, data_dir=data_dir) as index:
        return {hit.uri for hit in index.search(query).hits if query in hit.code}


def copy(root: Path, target: Path) -> Path:
    shutil.copytree(root, target, symlinks=True)
    return target


def diverge(original: Path, copied: Path) -> None:
    write(original, "theirs.py", "def only_in_the_original():\n    return 1\n")
    write(copied, "ours.py", "def only_in_the_copy():\n    return 1\n")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    root = tmp_path / "plain"
    write(root, "a.py", "def plain_thing():\n    return 1\n")
    return root


def test_the_copy_of_a_plain_folder_is_searched(plain: Path, tmp_path: Path) -> None:
    index_repositories([plain])
    copied = copy(plain, tmp_path / "copied")
    diverge(plain, copied)
    assert found(copied, "only_in_the_copy") == {"ours.py"}
    assert found(copied, "only_in_the_original") == set()
    assert found(plain, "only_in_the_original") == {"theirs.py"}
    assert only(copied / ".codeintel").identity == str(copied)


def test_the_copy_of_a_repository_follows_its_own_branches(
    history: Path, tmp_path: Path, git: Git
) -> None:
    index_repositories([history], refs=["dev"])
    index_repositories([history])
    copied = copy(history, tmp_path / "copied")
    diverge(history, copied)
    git(copied, "checkout", "-q", "dev")
    write(copied, "fresh.py", "def committed_in_the_copy():\n    return 1\n")
    commit(git, copied)
    with open_index(copied) as index:
        (hit,) = (h for h in index.search("committed_in_the_copy").hits if "committed" in h.code)
        assert (hit.ref, hit.commit) == ("dev", git(copied, "rev-parse", "HEAD"))
        assert index.status().repos[0]["refs"][0]["behind"] == 1
    index_repositories([copied])
    with open_index(copied, refresh=False) as index:
        assert index.status().repos[0]["refs"][0]["behind"] == 0
    assert only(copied / ".codeintel").identity == str(copied / ".git")


def test_nothing_of_the_original_is_read_once_it_is_gone(plain: Path, tmp_path: Path) -> None:
    index_repositories([plain])
    copied = copy(plain, tmp_path / "copied")
    shutil.rmtree(plain)
    assert found(copied, "plain_thing") == {"a.py"}
    moved = copied.rename(tmp_path / "moved")
    assert found(moved, "plain_thing") == {"a.py"}


def test_the_copy_of_a_work_tree_is_that_work_tree_elsewhere(
    history: Path, tmp_path: Path, git: Git
) -> None:
    tree = tmp_path / "tree"
    git(history, "worktree", "add", "-q", str(tree), "dev")
    index_repositories([tree])
    copied = copy(tree, tmp_path / "copied")
    diverge(tree, copied)
    assert found(copied, "only_in_the_copy") == {"ours.py"}
    assert found(copied, "only_in_the_original") == set()


def test_the_copy_of_a_repository_leaves_linked_work_trees_with_the_original(
    history: Path, tmp_path: Path, git: Git
) -> None:
    git(history, "worktree", "add", "-q", str(tmp_path / "tree"), "dev")
    index_repositories([history], all_worktrees=True)
    copied = copy(history, tmp_path / "copied")
    diverge(tmp_path / "tree", copied)
    assert found(copied, "only_in_the_copy") == {"ours.py"}
    index_repositories([copied])
    with open_index(copied) as index:
        assert [ref["name"] for ref in index.status().repos[0]["refs"]] == ["worktree"]


def test_a_submodule_in_a_copied_repository_belongs_to_the_copy(
    history: Path, plain: Path, tmp_path: Path, git: Git
) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "plain")
    commit(git, plain)
    git(history, *("-c", "protocol.file.allow=always"), "submodule", "-q", "add", str(plain), "sub")
    index_repositories([history / "sub"])
    copied = copy(history, tmp_path / "copied")
    diverge(history / "sub", copied / "sub")
    assert found(copied / "sub", "only_in_the_copy") == {"ours.py"}
    inside = copied / ".git" / "modules" / "sub"
    assert only(copied / "sub" / ".codeintel").identity == str(inside)


def test_roots_elsewhere_stay_where_they_are_when_their_index_is_copied(
    history: Path, plain: Path, tmp_path: Path
) -> None:
    data = plain / ".codeintel"
    index_repositories([plain, history], data_dir=data)
    copied = copy(plain, tmp_path / "copied")
    diverge(plain, copied)
    write(history, "late.py", "def in_the_other_root():\n    return 1\n")
    assert roots(copied / ".codeintel") == {"plain": str(copied), "shop": str(history)}
    assert found(copied, "only_in_the_copy", copied / ".codeintel") == {"ours.py"}
    assert found(copied, "in_the_other_root", copied / ".codeintel") == {"late.py"}


def test_a_data_directory_beside_its_roots_still_serves_them_from_its_copy(
    history: Path, plain: Path, tmp_path: Path
) -> None:
    index_repositories([plain, history], data_dir=tmp_path / "data")
    copied = copy(tmp_path / "data", tmp_path / "elsewhere")
    assert roots(copied) == {"plain": str(plain), "shop": str(history)}
    assert found(plain, "plain_thing", copied) == {"a.py"}


def test_a_data_directory_reached_through_a_link_knows_its_folder(
    plain: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(plain)
    index_repositories([tmp_path / "link"], data_dir=tmp_path / "link" / ".codeintel")
    copied = copy(plain, tmp_path / "copied")
    assert only(copied / ".codeintel").root == str(copied)


@pytest.mark.parametrize("links_stay", [True, False])
def test_the_copy_of_a_folder_whose_index_lies_behind_a_link_is_searched(
    plain: Path, tmp_path: Path, *, links_stay: bool
) -> None:
    (tmp_path / "data").mkdir()
    (plain / ".codeintel").symlink_to(tmp_path / "data")
    index_repositories([plain])
    copied = tmp_path / "copied"
    shutil.copytree(plain, copied, symlinks=links_stay)
    diverge(plain, copied)
    assert found(copied, "only_in_the_copy") == {"ours.py"}
    assert found(plain, "only_in_the_original") == {"theirs.py"}
    assert roots(copied / ".codeintel") == {"plain": str(plain), "copied": str(copied)}


def test_a_folder_that_comes_under_git_stays_what_it_was(
    plain: Path, tmp_path: Path, git: Git
) -> None:
    index_repositories([plain])
    key = only(plain / ".codeintel").key
    git(tmp_path, "init", "-q", "-b", "main", "plain")
    commit(git, plain)
    assert found(plain, "plain_thing") == {"a.py"}
    assert only(plain / ".codeintel")[:4] == (key, "plain", str(plain), str(plain / ".git"))
