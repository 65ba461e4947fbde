"""What happens to repositories while people work in them: each search is right, or says that it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.errors import NotARepository
from codeintel_rev.indexing.file_source import read_file
from codeintel_rev.types import FileEntry, SearchResult

from .conftest import Git, commit, write


def function(name: str) -> str:
    return f"def {name}():\n    return 1\n"


def search(root: Path, query: str, data_dir: Path | None = None) -> SearchResult:
    with open_index(root, data_dir=data_dir) as index:
        return index.search(query)


def found(root: Path, name: str, data_dir: Path | None = None) -> set[str]:
    return {hit.uri for hit in search(root, name, data_dir).hits if name in hit.code}


@pytest.fixture
def root(history: Path) -> Path:
    """An indexed repository with ``cart.py``, ``shared.py`` and ``main.py``."""
    index_repositories([history])
    return history


def test_a_rename_of_letters_only_is_followed(root: Path, git: Git) -> None:
    git(root, "mv", "cart.py", "Cart.py")
    assert found(root, "total_price") == {"Cart.py"}


def test_a_file_that_becomes_a_folder_and_one_that_was_a_folder(root: Path, git: Git) -> None:
    (root / "cart.py").unlink()
    write(root, "cart.py/inner.py", function("inner_price"))
    assert found(root, "total_price") == set()
    assert found(root, "inner_price") == {"cart.py/inner.py"}
    commit(git, root)
    git(root, "checkout", "-q", "HEAD~1")
    assert found(root, "total_price") == {"cart.py"}
    assert found(root, "inner_price") == set()


def test_links_in_a_circle_and_up_the_tree_are_not_followed(root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    (root / "up").symlink_to("..")
    (root / "other.py").symlink_to("cart.py")
    assert found(root, "total_price") == {"cart.py"}


def test_a_rebase_that_stopped_shows_the_files_as_they_lie_there(root: Path, git: Git) -> None:
    git(root, "checkout", "-q", "-b", "mine")
    write(root, "cart.py", function("price_of_mine"))
    commit(git, root)
    git(root, "checkout", "-q", "main")
    write(root, "cart.py", function("price_of_main"))
    commit(git, root)
    with pytest.raises(subprocess.CalledProcessError):
        git(root, "rebase", "main", "mine")
    result = search(root, "price_of_mine")
    assert "<<<<<<<" in result.hits[0].code
    assert result.hits[0].commit is None
    git(root, "rebase", "--abort")
    (hit,) = (hit for hit in search(root, "price_of_mine").hits if "price" in hit.code)
    assert (hit.ref, hit.commit) == ("mine", git(root, "rev-parse", "mine"))


def test_a_broken_git_index_leaves_the_last_view(root: Path) -> None:
    (root / ".git" / "index").write_bytes(b"garbage")
    write(root, "cart.py", function("unseen_price"))
    result = search(root, "total_price")
    assert result.limits == ("stale_index",)
    assert result.hits[0].uri == "cart.py"
    assert result.hits[0].stale


def test_a_first_index_of_a_broken_repository_says_what_is_wrong(history: Path) -> None:
    (history / ".git" / "index").write_bytes(b"garbage")
    with pytest.raises(Exception, match="git ls-files failed"):
        open_index(history)


def test_a_repository_whose_git_folder_is_gone_is_a_plain_folder(root: Path) -> None:
    shutil.rmtree(root / ".git")
    write(root, "late.py", function("late_thing"))
    assert found(root, "late_thing") == {"late.py"}
    assert found(root, "total_price") == {"cart.py"}


def test_a_branch_without_a_commit_claims_none(root: Path, git: Git) -> None:
    git(root, "checkout", "-q", "--orphan", "fresh")
    (hit,) = (hit for hit in search(root, "total_price").hits if "total_price" in hit.code)
    assert (hit.ref, hit.commit) == ("fresh", None)


def test_another_repository_at_the_same_path_replaces_the_first(
    history: Path, tmp_path: Path, git: Git
) -> None:
    data = tmp_path / "data"
    index_repositories([history], data_dir=data)
    shutil.rmtree(history)
    git(tmp_path, "init", "-q", "-b", "main", "shop")
    write(history, "zoo.py", function("zebra"))
    commit(git, history)
    assert found(history, "zebra", data) == {"zoo.py"}
    assert found(history, "total_price", data) == set()


def test_a_work_tree_that_was_deleted_goes_at_the_next_index(
    history: Path, tmp_path: Path, git: Git
) -> None:
    tree = tmp_path / "tree"
    git(history, "worktree", "add", "-q", str(tree), "dev")
    index_repositories([history], all_worktrees=True)
    shutil.rmtree(tree)
    assert found(history, "total_price") == {"cart.py"}
    index_repositories([history])
    with open_index(history, refresh=False) as index:
        assert [ref["name"] for ref in index.status().repos[0]["refs"]] == ["worktree"]


def test_a_submodule_that_moves_on_and_then_elsewhere(root: Path, tmp_path: Path, git: Git) -> None:
    library = tmp_path / "library"
    git(tmp_path, "init", "-q", "-b", "main", "library")
    write(library, "lib.py", function("library_call"))
    commit(git, library)
    git(root, "-c", "protocol.file.allow=always", "submodule", "-q", "add", str(library), "lib")
    index_repositories([root / "lib"])
    assert found(root, "library_call") == set(), "a submodule is a repository of its own"
    write(library, "lib.py", function("library_moved"))
    commit(git, library)
    git(root / "lib", "-c", "protocol.file.allow=always", "pull", "-q")
    assert found(root / "lib", "library_moved") == {"lib.py"}
    git(root, "mv", "lib", "vendored")
    assert found(root / "vendored", "library_moved") == {"lib.py"}
    assert found(root, "total_price") == {"cart.py"}


def test_a_file_that_git_was_told_to_overlook_is_read_and_claims_no_commit(
    root: Path, git: Git
) -> None:
    git(root, "update-index", "--assume-unchanged", "cart.py")
    for name in ("hidden_price", "hidder_price"):
        write(root, "cart.py", function(name))
        (hit,) = (hit for hit in search(root, name).hits if name in hit.code)
        assert hit.commit is None


def test_a_name_that_is_no_line_of_text_is_skipped_and_costs_no_other_file_anything(
    root: Path,
) -> None:
    with open(os.fsencode(root) + b"/caf\xe9.py", "w") as file:  # noqa: PTH123  bytes
        file.write(function("latin_name"))
    assert found(root, "latin_name") == set()
    write(root, "new\nline.py", function("line_in_a_name"))
    assert found(root, "line_in_a_name") == set()
    (hit,) = (hit for hit in search(root, "total_price").hits if "total_price" in hit.code)
    assert hit.commit is not None
    with open_index(root) as index:
        assert index.status().skipped["name"] == 2


def test_a_folder_whose_name_is_no_utf8_is_refused_in_words(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    write(odd, "a.py", function("alpha"))
    with pytest.raises(NotARepository, match="is no UTF-8"):
        open_index(odd)
    with pytest.raises(NotARepository, match="is no UTF-8"):
        index_repositories([odd], data_dir=tmp_path / "data")


def test_a_pipe_in_place_of_a_file_is_skipped(root: Path) -> None:
    (root / "cart.py").unlink()
    os.mkfifo(root / "cart.py")
    assert found(root, "total_price") == set()


def test_a_file_that_outgrows_its_reader_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "log.py"
    path.write_bytes(b"x = 1\n")
    listed = FileEntry("log.py", 6, path.stat().st_mtime_ns)
    with path.open("r+b") as file:
        file.truncate(100 << 20)
    assert read_file(tmp_path, listed) is None
    with path.open("r+b") as file:
        file.truncate(1_000)
    read = read_file(tmp_path, listed)
    assert read is not None
    assert (len(read.data), read.entry.size) == (1_000, 1_000)


@pytest.mark.parametrize("under_git", [False, True])
def test_a_folder_that_may_not_be_read_any_more_is_skipped_or_shown_as_changed(
    tmp_path: Path, git: Git, under_git: bool
) -> None:
    root = tmp_path / "plain"
    write(root, "a.py", function("open_thing"))
    write(root, "closed/secret.py", function("closed_thing"))
    if under_git:
        git(tmp_path, "init", "-q", "-b", "main", "plain")
        commit(git, root)
    index_repositories([root])
    (root / "closed").chmod(0)
    try:
        if os.access(root / "closed", os.R_OK):
            pytest.skip("root reads everything")
        with open_index(root) as index:
            hits = [hit for hit in index.search("closed_thing").hits if "closed" in hit.code]
            assert all(hit.stale for hit in hits)
            assert bool(hits) == under_git, "git takes what it cannot look at for unchanged"
            assert index.status().skipped == ({} if under_git else {"unreadable": 1})
        assert found(root, "open_thing") == {"a.py"}
    finally:
        (root / "closed").chmod(0o755)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("cart.py:1", None),
        ("cart.py:999", "line_not_found"),
        ("cart.py", None),
        ("basket.py:1", "path_not_found"),
        ("basket.py", "path_not_found"),
        ("src/cart.py", "path_not_found"),
        ("./cart.py", None),
        ("os.path", None),
        ("items.sum", None),
        ("total_price", None),
    ],
)
def test_a_place_that_is_not_there_is_told(root: Path, query: str, word: str | None) -> None:
    result = search(root, query)
    assert result.limits == (() if word is None else (word,))
    assert result.hits
