"""Git is asked about real repositories, hostile ones among them."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from codeintel_rev.errors import DeadlineExceeded, NotARepository, Unavailable
from codeintel_rev.indexing.walker import walk
from codeintel_rev.io.git import GitRepo, discover, locate
from codeintel_rev.io.work_tree import start_probe

IDENTITY = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


@pytest.fixture(autouse=True)
def bare_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of one commit on ``main`` with ``a.py`` and ``pkg/b.py``."""
    folder = tmp_path / "repo"
    (folder / "pkg").mkdir(parents=True)
    (folder / "a.py").write_text("a = 1\n")
    (folder / "pkg" / "b.py").write_text("b = 2\n")
    git(tmp_path, "init", "-q", "-b", "main", "repo")
    commit_all(folder)
    return folder


def git(cwd: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *args], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit_all(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "-m", "work")
    return git(root, "rev-parse", "HEAD")


def found(path: Path) -> GitRepo:
    repo = discover(path)
    assert repo is not None
    return repo


def test_a_repository_is_found_from_any_folder_in_it(root: Path) -> None:
    assert found(root) == found(root / "pkg") == GitRepo(root, root / ".git", root / ".git")


def test_a_linked_work_tree_shares_the_common_folder(root: Path) -> None:
    git(root, "worktree", "add", "-q", "-b", "other", "../linked")
    linked = found(root.parent / "linked")
    assert linked.root == root.parent / "linked"
    assert linked.git_dir != linked.common_dir == root / ".git"
    assert linked.head()[0] == "other"
    assert sorted(linked.list_files(linked.root).paths) == ["a.py", "pkg/b.py"]


@pytest.mark.parametrize("content", [None, "nonsense", "gitdir: /nowhere", ""])
def test_a_broken_dot_git_is_no_repository(tmp_path: Path, content: str | None) -> None:
    entry = tmp_path / ".git"
    entry.mkdir() if content is None else entry.write_text(content)
    assert discover(tmp_path) is None


def test_a_folder_that_only_looks_like_a_repository_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert locate(tmp_path) is not None
    assert discover(tmp_path) is None


def test_head_names_branch_and_commit(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    assert found(root).head() == ("main", commit)
    git(root, "checkout", "-q", "--detach")
    assert found(root).head() == (None, commit)


def test_a_repository_without_commits_has_a_branch_only(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    assert found(tmp_path).head() == ("trunk", None)
    assert found(tmp_path).list_files(tmp_path).paths == []


def test_files_are_those_tracked_and_those_not_ignored(root: Path) -> None:
    (root / ".gitignore").write_text("*.log\n")
    (root / "x.log").write_text("noise")
    (root / 'new "and\nodd".py').write_text("c = 3\n")
    listing = found(root).list_files(root)
    assert sorted(listing.paths) == [".gitignore", "a.py", 'new "and\nodd".py', "pkg/b.py"]
    assert found(root).list_files(root / "pkg").paths == ["b.py"]
    assert not listing.unwatched


def test_a_folder_named_like_a_pattern_is_just_a_folder(root: Path) -> None:
    for name in (":(top)x", "p*", "-rf"):
        (root / name).mkdir()
        (root / name / "c.py").write_text("c = 3\n")
        assert found(root).list_files(root / name).paths == ["c.py"]
        assert not found(root).ignores(root / name)


def test_an_ignored_folder_is_known_as_such(root: Path) -> None:
    (root / ".gitignore").write_text("build/\n")
    (root / "build").mkdir()
    repo = found(root)
    assert repo.ignores(root / "build")
    assert not repo.ignores(root / "pkg")
    assert not repo.ignores(root)


def test_the_callers_git_variables_do_not_leak_in(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    assert sorted(found(root).list_files(root).paths) == ["a.py", "pkg/b.py"]


def test_a_missing_git_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(Unavailable, match="git was not found") as caught:
        discover(root)
    assert "install" in caught.value.hint


def test_a_git_in_the_repository_itself_is_not_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(root / "git", f"touch {shlex.quote(str(tmp_path / 'ran'))}")
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    found(root).list_files(root)
    assert not (tmp_path / "ran").exists()


def test_a_git_that_hangs_is_stopped_with_its_children(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = found(root)
    script(tmp_path / "bin" / "git", "sleep 100 & wait")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(DeadlineExceeded, match=r"ls-files .* within 0.2 s"):
        repo.run("ls-files", timeout_s=0.2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_refused_with_the_way_out(root: Path) -> None:
    for path in (root, root / ".git"):
        os.chown(path, 65534, 65534)
    with pytest.raises(NotARepository, match="another user") as caught:
        discover(root)
    assert "safe.directory" in caught.value.hint


def test_a_damaged_index_is_reported_in_one_line(root: Path) -> None:
    (root / ".git" / "index").write_bytes(b"rubbish")
    with pytest.raises(Unavailable, match="git ls-files failed") as caught:
        found(root).list_files(root)
    assert "\n" not in caught.value.message


# --- A repository that wants to run programs ----------------------------------------------------

PROGRAM_KEYS = [
    *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "core.askPass"),
    *("core.gitProxy", "core.alternateRefsCommand", "credential.helper", "gpg.program"),
    *("diff.external", "diff.evil.textconv", "diff.evil.command", "merge.evil.driver"),
    *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "pager.ls-files"),
    *(
        "alias.ls-files",
        "alias.rev-parse",
        "uploadpack.packObjectsHook",
        "remote.origin.uploadpack",
    ),
]


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def make_hostile(root: Path, marks: Path, keys: list[str]) -> None:
    """Name a program that leaves a mark wherever git's configuration takes one."""
    (root / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    commit_all(root)
    programs = marks.parent / "programs"
    for key in keys:
        program = script(programs / key, f"touch {shlex.quote(str(marks / key))}; cat")
        value = f"!{program}" if key.startswith("alias.") else str(program)
        git(root, "config", key, value)
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        script(root / ".git" / "hooks" / hook, f"touch {shlex.quote(str(marks / hook))}")
    # Content of the same size in the same second makes git compare bytes, through the filter.
    for name in ("a.py", "pkg/b.py"):
        path = root / name
        path.write_text(path.read_text().replace("=", ":"))


def use_everything(root: Path) -> None:
    repo = found(root)
    repo.head()
    repo.list_files(root)
    repo.list_files(root / "pkg")
    repo.ignores(root / "pkg")
    probe = start_probe(repo, root)
    if probe is not None:
        probe.result()
    assert [entry.path for entry in walk(root, git=repo).files][-2:] == ["a.py", "pkg/b.py"]


def test_no_program_named_by_a_repository_runs(root: Path, marks: Path) -> None:
    make_hostile(root, marks, PROGRAM_KEYS)
    use_everything(root)
    assert list(marks.iterdir()) == []
    subprocess.run(["git", "status"], cwd=root, capture_output=True, check=False, timeout=10)
    assert list(marks.iterdir()), "plain git runs them, so the trap is armed"


@pytest.mark.parametrize("key", [key for key in PROGRAM_KEYS if not key.startswith("filter.")])
def test_nor_does_one_run_where_there_are_no_filters(root: Path, marks: Path, key: str) -> None:
    make_hostile(root, marks, [key])
    use_everything(root)
    assert list(marks.iterdir()) == []


def test_filters_named_by_an_included_file_are_expected(root: Path, marks: Path) -> None:
    make_hostile(root, marks, [])
    program = script(marks.parent / "clean", f"touch {shlex.quote(str(marks / 'clean'))}; cat")
    (root / ".git" / "evil.inc").write_text(f'[filter "evil"]\n\tclean = {program}\n')
    git(root, "config", "include.path", "evil.inc")
    repo = found(root)
    assert repo.names_filters()
    assert start_probe(repo, root) is None
    use_everything(root)
    assert list(marks.iterdir()) == []


def test_a_partial_clone_does_not_fetch(root: Path, marks: Path) -> None:
    program = script(marks.parent / "upload", f"touch {shlex.quote(str(marks / 'upload'))}")
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.uploadpack": str(program),
        "protocol.ext.allow": "always",
    }.items():
        git(root, "config", key, value)
    with pytest.raises(Unavailable):
        found(root).run("cat-file", "-p", "--end-of-options", "f" * 40)
    assert list(marks.iterdir()) == []


def test_a_configured_work_tree_elsewhere_is_not_followed(root: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    (private / "secret.py").write_text("x = 1\n")
    git(root, "config", "core.worktree", str(private))
    repo = found(root)
    assert repo.root == root
    assert sorted(repo.list_files(root).paths) == ["a.py", "pkg/b.py"]


@pytest.mark.timeout(20)
def test_a_pipe_in_place_of_a_file_holds_nobody_up(root: Path) -> None:
    os.mkfifo(root / ".git" / "commondir")
    os.mkfifo(root / ".git" / "config.worktree")
    repo = locate(root)
    assert repo == GitRepo(root, root / ".git", root / ".git")
    assert repo.names_filters()
    assert start_probe(repo, root) is None
    (root / ".git" / "config.worktree").unlink()
    (root / ".git" / "index").unlink()
    os.mkfifo(root / ".git" / "index")
    probe = start_probe(repo, root)
    assert probe is not None
    assert probe.result(timeout_s=0.2) is None


def test_a_bare_repository_inside_a_tree_is_not_entered(root: Path, marks: Path) -> None:
    git(root, "init", "-q", "--bare", "docs")
    program = script(marks.parent / "monitor", f"touch {shlex.quote(str(marks / 'monitor'))}")
    git(root / "docs", "config", "core.fsmonitor", str(program))
    git(root / "docs", "config", "core.worktree", str(root))
    assert found(root / "docs").root == root
    assert "HEAD" in found(root).list_files(root / "docs").paths
    assert list(marks.iterdir()) == []


# --- What came with a repository ----------------------------------------------------------------


@pytest.mark.parametrize("name", [".codeintel/a", "pkg/.codeintel/b/c", ".CodeIntel/a"])
@pytest.mark.parametrize("version", [2, 4])
def test_a_folder_with_a_committed_file_is_tracked(root: Path, name: str, version: int) -> None:
    folder = root / name.lower().partition(".codeintel")[0] / ".codeintel"
    assert not found(root).tracks(folder)
    (root / name).parent.mkdir(parents=True)
    (root / name).write_text("x\n")
    assert not found(root).tracks(folder)
    git(root, "add", "-A")
    git(root, "update-index", f"--index-version={version}")
    assert found(root).tracks(folder)
    assert not found(root).tracks(root / "other" / ".codeintel")


def test_a_committed_link_and_a_split_index_are_seen_through(root: Path) -> None:
    (root / ".codeintel").symlink_to(root.parent)
    git(root, "add", "-A")
    assert found(root).tracks(root / ".codeintel")
    git(root, "update-index", "--split-index")
    assert found(root).tracks(root / ".codeintel")
    assert not found(root).tracks(root / "other")
