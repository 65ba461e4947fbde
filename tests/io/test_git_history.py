"""History is read from commits, and nothing that a repository names is run for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from codeintel_rev.errors import NotFound, Unavailable
from codeintel_rev.io.git import GitRepo, locate
from codeintel_rev.io.git_history import GitHistory


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in which ``new.py`` was once ``old.py``."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "old.py").write_text("one = 1\ntwo = 2\nthree = 3\n")
    commit(tmp_path, "begin\n\nwith a body")
    git(tmp_path, "mv", "old.py", "new.py")
    commit(tmp_path, "rename")
    (tmp_path / "new.py").write_text("one = 1\ntwo = 22\nthree = 3\n")
    commit(tmp_path, "change zwei")
    return tmp_path


def git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=Änn O'Hara", "-c", "user.email=ann@example.org")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "-m", message)


def history(root: Path) -> GitHistory:
    repo = locate(root)
    assert isinstance(repo, GitRepo)
    return GitHistory(repo.git_dir, tree=repo)


def test_commits_are_followed_through_a_rename(root: Path) -> None:
    commits = history(root).log("new.py", 10)
    assert [found.message for found in commits] == ["change zwei", "rename", "begin"]
    assert {(found.author, found.email) for found in commits} == {("Änn O'Hara", "ann@example.org")}
    assert commits[0].full_sha.startswith(commits[0].sha)
    assert commits[0].date[10] == "T"
    assert len(history(root).log("new.py", 1)) == 1


def test_each_line_has_its_commit_and_an_edited_one_has_none(root: Path) -> None:
    (root / "new.py").write_text("one = 1\ntwo = 22\nthree = 33\n")
    blamed = history(root).blame("new.py", 1, 3)
    assert [line.message for line in blamed] == ["begin", "change zwei", ""]
    assert [line.line for line in blamed] == [1, 2, 3]
    assert (blamed[2].commit, blamed[2].author, blamed[2].date) == (None, "", None)


def test_a_commit_is_read_without_a_work_tree(root: Path) -> None:
    newest = history(root).log("new.py", 1)[0].full_sha
    (root / "new.py").unlink()
    at = GitHistory(root / ".git", commit=newest)
    assert [line.message for line in at.blame("new.py", 2, 2)] == ["change zwei"]
    assert len(at.log("new.py", 10)) == 3


@pytest.mark.parametrize("name", ["none.py", "--output=x", ":(top)new.py", "*.py", "HEAD"])
def test_a_file_that_was_never_committed_has_no_history(root: Path, name: str) -> None:
    (root / name).write_text("x = 1\n")
    with pytest.raises(NotFound, match="never committed"):
        history(root).log(name, 5)
    if name != "HEAD":
        with pytest.raises(NotFound, match="never committed"):
            history(root).blame(name, 1, 1)
    assert not (root / "x").exists()


def test_no_program_of_the_repository_is_run(root: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program = f"touch {mark}; cat"
    for key in ("diff.evil.textconv", "filter.evil.clean", "core.pager", "core.fsmonitor"):
        git(root, "config", key, program)
    git(root, "config", "diff.external", program)
    git(root, "config", "log.showSignature", "true")
    git(root, "config", "gpg.program", program)
    (root / ".git" / "info" / "attributes").write_text("* diff=evil filter=evil\n")
    (root / "new.py").write_text("one = 1\ntwo = 22\nthree = 33\n")
    assert len(history(root).log("new.py", 5)) == 3
    assert [line.message for line in history(root).blame("new.py", 2, 2)] == ["change zwei"]
    assert not mark.exists()


def test_what_git_complains_of_is_not_passed_on(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    git(root, "config", "blame.ignoreRevsFile", str(secret))
    with pytest.raises(Unavailable) as told:
        history(root).blame("new.py", 1, 1)
    assert "hunter2" not in f"{told.value.message}{told.value.hint}{told.value.value}"
    assert str(root) not in f"{told.value.message}{told.value.hint}{told.value.value}"


def test_a_commit_may_say_nothing(root: Path) -> None:
    (root / "new.py").write_text("one = 0\n")
    git(root, "commit", "-qa", "--allow-empty-message", "-m", "")
    newest = history(root).log("new.py", 10)[0]
    assert (newest.message, newest.author) == ("", "Änn O'Hara")


def strange_commit(root: Path, author: bytes, when: bytes, message: bytes) -> None:
    """Make a commit as only another program than git does."""
    tree = subprocess.check_output(["git", "write-tree"], cwd=root).strip()
    who = b"%s <ann@example.org> %s +0000" % (author, when)
    text = b"tree %s\nauthor %s\ncommitter %s\n\n%s\n" % (tree, who, who, message)
    command = ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"]
    made = subprocess.run(command, cwd=root, input=text, check=True, capture_output=True)
    git(root, "reset", "-q", "--hard", made.stdout.decode().strip())


def test_what_is_not_utf_8_is_shown_with_a_sign(root: Path) -> None:
    strange_commit(root, b"J\xe9r", b"1700000000", b"caf\xe9")
    newest = history(root).log("new.py", 1)[0]
    blamed = history(root).blame("new.py", 1, 1)[0]
    assert (newest.author, newest.message) == ("J\ufffdr", "caf\ufffd")
    assert (blamed.author, blamed.message) == ("J\ufffdr", "caf\ufffd")


def test_a_commit_may_tell_a_time_that_there_is_not(root: Path) -> None:
    strange_commit(root, b"Ann", b"300000000000", b"far away")
    assert history(root).blame("new.py", 1, 1)[0].date is None
    assert history(root).log("new.py", 1)[0].message == "far away"
