"""Walking finds what is worth indexing, and says why the rest was left out."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codeintel_rev.indexing.file_source import entry_of, read_file
from codeintel_rev.indexing.walker import Skipped, WalkResult, inspect, walk
from codeintel_rev.io.git import discover
from codeintel_rev.io.work_tree import start_probe

if TYPE_CHECKING:
    from collections.abc import Iterator

IDENTITY = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


@pytest.fixture(autouse=True)
def bare_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder with an outside."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture(params=["git", "plain"])
def tree(request: pytest.FixtureRequest, root: Path) -> Path:
    """The same, as a repository and as a plain folder."""
    if request.param == "git":
        git(root, "init", "-q")
    return root


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that another user owns, while the test runs as that user."""
    if os.geteuid() != 0:
        yield Path(tempfile.mkdtemp())
        return
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(0)
        shutil.rmtree(folder)


def git(cwd: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *args], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write(root: Path, *paths: str, text: str = "x = 1\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def look(root: Path) -> WalkResult:
    return walk(root, git=discover(root))


def paths(result: WalkResult) -> list[str]:
    return [entry.path for entry in result.files]


def test_every_text_file_is_found_in_order_with_its_stat(tree: Path) -> None:
    write(tree, "b/c.py", "a.py", "b/a.md")
    result = look(tree)
    assert paths(result) == ["a.py", "b/a.md", "b/c.py"]
    stat = (tree / "a.py").stat()
    first = result.files[0]
    assert (first.size, first.mtime_ns, first.inode) == (6, stat.st_mtime_ns, stat.st_ino)


def test_odd_names_are_kept_and_those_of_no_line_of_text_are_shown_escaped(tree: Path) -> None:
    names = ['quo"te.py', " blank .py", "-dash.py", "é ü.py", "a\u3000b.md", "\u200d.py"]
    write(tree, *names, "a.py:1-9\nb.py", "tab\t.py", "\x1b[31m.py", "gro\u202eyp.c")
    (Path(os.fsdecode(os.fsencode(tree) + b"/bad\xff.py"))).write_text("x = 1\n")
    result = look(tree)
    assert paths(result) == sorted(names)
    told = ["\\x1b[31m.py", "a.py:1-9\\nb.py", "bad\\xff.py", "gro\\u202eyp.c", "tab\\t.py"]
    assert result.skipped == [Skipped(name, "name") for name in told]


def test_files_are_skipped_for_reasons_that_can_be_counted(tree: Path) -> None:
    write(tree, "ok.py", "logo.png", "yarn.lock", ".env", "api_pb2.py", "node_modules/x/y.js")
    write(tree, "node_modules/x/z.js", "lib/site-packages/p/q.py")
    write(tree, "big.py", text="#" * 2_000_000)
    result = look(tree)
    assert paths(result) == ["ok.py"]
    assert Skipped("node_modules/", "vendored") in result.skipped
    assert result.skipped_by_reason() == {
        "vendored": 2,
        **dict.fromkeys(["binary", "generated", "lock_file", "secret", "too_large"], 1),
    }


def test_the_size_limit_is_the_callers(tree: Path) -> None:
    write(tree, "a.py", text="#" * 100)
    assert look(tree).files
    assert walk(tree, git=discover(tree), max_file_bytes=99).skipped == [
        Skipped("a.py", "too_large")
    ]


def test_folders_that_declare_themselves_are_left_out(tree: Path) -> None:
    write(tree, "myenv/pyvenv.cfg", "myenv/lib/a.py", "out/CACHEDIR.TAG", "out/b.py", "c.py")
    result = look(tree)
    assert paths(result) == ["c.py"]
    assert result.skipped == [Skipped("myenv/", "vendored"), Skipped("out/", "cache")]


def test_an_index_of_another_tree_is_left_out(tree: Path) -> None:
    write(tree, "idx/registry.sqlite", "idx/repos/0/state.json", "shop/repos/a.py", "b.py")
    write(tree, "bank/registry.sqlite", "bank/c.py")
    result = look(tree)
    assert paths(result) == ["b.py", "bank/c.py", "shop/repos/a.py"]
    assert Skipped("idx/", "cache") in result.skipped


def test_the_index_itself_is_no_part_of_the_tree(tree: Path) -> None:
    write(tree, ".codeintel/state.txt", "sub/.codeintel/x.txt", "idx/y.txt", "a.py")
    result = walk(tree, git=discover(tree), data_dir=tree / "idx")
    assert (paths(result), result.skipped) == (["a.py"], [])


# --- Ignore files -------------------------------------------------------------------------------


def test_what_git_ignores_is_not_listed(root: Path) -> None:
    git(root, "init", "-q")
    write(root, "a.py", "b.log", "tracked.log", "build/out.py")
    write(root, ".gitignore", text="*.log\nbuild/\n")
    git(root, "add", "-f", "tracked.log")
    assert paths(look(root)) == [".gitignore", "a.py", "tracked.log"]


def test_own_ignore_files_work_at_every_level(tree: Path) -> None:
    write(tree, "a.py", "a.sql", "docs/a.sql", "docs/keep.sql", "docs/old/x.md", "docs/y.md")
    write(tree, ".codeintelignore", text="# no SQL\n*.sql\n")
    write(tree, "docs/.codeintelignore", text="!keep.sql\n/old/\n")
    result = look(tree)
    own = [path for path in paths(result) if not path.endswith("ignore")]
    assert own == ["a.py", "docs/keep.sql", "docs/y.md"]
    assert result.skipped_by_reason() == {"ignored": 3}
    assert Skipped("docs/old/", "ignored") in result.skipped


def test_an_ignore_file_that_is_no_file_is_not_read(tree: Path) -> None:
    write(tree.parent, "outside", text="*\n")
    (tree / ".codeintelignore").symlink_to(tree.parent / "outside")
    write(tree, "sub/a.py")
    os.mkfifo(tree / "sub" / ".codeintelignore")
    assert paths(look(tree)) == ["sub/a.py"]


def test_a_root_that_its_repository_ignores_is_walked_all_the_same(root: Path) -> None:
    git(root, "init", "-q")
    write(root, "tmp/proj/a.py", "tmp/proj/b.log")
    write(root, ".gitignore", text="tmp/\n*.log\n")
    assert paths(look(root / "tmp" / "proj")) == ["a.py", "b.log"]


def test_a_root_below_the_top_sees_its_own_part(root: Path) -> None:
    git(root, "init", "-q")
    write(root, "a.py", "pkg/b.py", "pkg/sub/c.py", "pkg/d.log")
    write(root, ".gitignore", text="*.log\n")
    git(root, "add", "-A")
    result = look(root / "pkg")
    assert paths(result) == ["b.py", "sub/c.py"]
    write(root, "pkg/b.py", "pkg/new.py", "a.py", text="y = 22\n")
    assert suspects(root / "pkg", result) == {"b.py", "new.py"}


# --- What is no plain file ----------------------------------------------------------------------


def test_links_are_not_followed(tree: Path) -> None:
    write(tree, "real/a.py")
    write(tree.parent, "outside/secret.py")
    (tree / "file_link.py").symlink_to("real/a.py")
    (tree / "dir_link").symlink_to("real")
    (tree / "out_link").symlink_to(tree.parent / "outside")
    (tree / "out.py").symlink_to(tree.parent / "outside" / "secret.py")
    (tree / "loop").symlink_to(".")
    (tree / "broken").symlink_to("nowhere")
    result = look(tree)
    assert paths(result) == ["real/a.py"]
    assert result.skipped_by_reason() == {"symlink": 6}


def test_a_tracked_folder_replaced_by_a_link_leads_nowhere(root: Path) -> None:
    git(root, "init", "-q")
    write(root, "pkg/a.py")
    git(root, "add", "-A")
    write(root.parent, "outside/a.py", text="secret = 1\n")
    shutil.rmtree(root / "pkg")
    (root / "pkg").symlink_to(root.parent / "outside")
    result = look(root)
    assert paths(result) == []
    assert result.skipped == [Skipped("pkg", "symlink")]


def test_pipes_and_sockets_are_not_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "a.py")
    os.mkfifo(root / "pipe.py")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock.py")
        result = look(root)
    assert paths(result) == ["a.py"]
    assert result.skipped == [Skipped("pipe.py", "special"), Skipped("sock.py", "special")]


def test_repositories_inside_are_reported_not_entered(root: Path) -> None:
    git(root, "init", "-q")
    write(root, "a.py", "vendored_repo/b.py", "sub/c.py")
    for inner in ("vendored_repo", "sub"):
        git(root / inner, "init", "-q")
        git(root / inner, "add", "-A")
        git(root / inner, "commit", "-q", "-m", "x")
    git(root, "-c", "advice.addEmbeddedRepo=false", "add", "sub")
    result = look(root)
    assert paths(result) == ["a.py"]
    assert {path.rstrip("/"): why for path, why in result.skipped} == {
        "sub": "submodule",
        "vendored_repo": "submodule",
    }


def test_a_folder_that_may_not_be_read_is_counted(unprivileged: Path) -> None:
    write(unprivileged, "a.py", "closed/b.py")
    (unprivileged / "closed").chmod(0)
    result = walk(unprivileged)
    (unprivileged / "closed").chmod(0o700)
    assert paths(result) == ["a.py"]
    assert result.skipped == [Skipped("closed/", "unreadable")]


def test_files_deleted_from_disk_are_gone(root: Path) -> None:
    git(root, "init", "-q")
    write(root, "a.py", "gone.py", "lost/b.py")
    git(root, "add", "-A")
    (root / "gone.py").unlink()
    shutil.rmtree(root / "lost")
    result = look(root)
    assert (paths(result), result.skipped) == (["a.py"], [])


def test_an_empty_folder_holds_nothing(tree: Path) -> None:
    assert look(tree)[:2] == ([], [])


# --- What changed since -------------------------------------------------------------------------


def suspects(root: Path, earlier: WalkResult) -> set[str] | None:
    repo = discover(root)
    assert repo is not None
    probe = start_probe(repo, root)
    assert probe is not None
    now = probe.result()
    assert now is not None
    assert earlier.state is not None
    found = now.suspects_since(earlier.state)
    return None if found is None else set(found)


@pytest.fixture
def committed(root: Path) -> Path:
    git(root, "init", "-q")
    write(root, "a.py", "b.py", "pkg/c.py")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "x")
    return root


def test_nothing_is_suspected_while_nothing_changes(committed: Path) -> None:
    assert suspects(committed, look(committed)) == set()


def test_edits_deletions_and_new_files_are_suspected(committed: Path) -> None:
    before = look(committed)
    write(committed, "a.py", text="a = 10\n")
    write(committed, "pkg/new.py")
    (committed / "b.py").unlink()
    found = suspects(committed, before)
    assert found == {"a.py", "b.py", "pkg/new.py"}
    again = inspect(committed, found)
    assert paths(again) == ["a.py", "pkg/new.py"]
    assert again.files == [entry for entry in look(committed).files if entry.path in found]


def test_an_edit_that_hides_behind_size_and_mtime_is_suspected(committed: Path) -> None:
    before = look(committed)
    stat = (committed / "a.py").stat()
    write(committed, "a.py", text="x = 9\n")
    os.utime(committed / "a.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert suspects(committed, before) == {"a.py"}


def test_what_was_unsettled_before_is_suspected_again(committed: Path) -> None:
    write(committed, "a.py", "loose.py", text="dirty = 1\n")
    before = look(committed)
    (committed / "loose.py").unlink()
    assert suspects(committed, before) == {"a.py", "loose.py"}


def test_a_changed_index_or_ignore_file_asks_for_a_walk(committed: Path) -> None:
    before = look(committed)
    write(committed, "a.py", text="a = 10\n")
    git(committed, "add", "a.py")
    assert suspects(committed, before) is None
    before = look(committed)
    write(committed, ".codeintelignore", text="b.py\n")
    assert suspects(committed, before) is None
    before = look(committed)
    write(committed, "pkg/.codeintelignore", text="c.py\n")
    assert suspects(committed, before) is None


def test_a_file_that_git_must_not_watch_asks_for_a_walk(committed: Path) -> None:
    git(committed, "update-index", "--assume-unchanged", "a.py")
    assert look(committed).state is None


def test_only_a_repository_has_a_state(root: Path) -> None:
    write(root, "a.py")
    assert look(root).state is None


@pytest.mark.parametrize("seed", range(3))
def test_suspects_cover_every_difference_between_two_walks(committed: Path, seed: int) -> None:
    rng = random.Random(seed)
    before = look(committed)
    for step in range(12):
        change_something(committed, rng, step)
        after = look(committed)
        found = suspects(committed, before)
        differing = {entry.path for entry in set(before.files) ^ set(after.files)}
        assert found is None or differing <= found
        before = after


def change_something(root: Path, rng: random.Random, step: int) -> None:
    """Do one of the things that people do to a work tree."""
    name = rng.choice(["a.py", "b.py", "pkg/c.py", "pkg/d.py", "new.py"])
    action = rng.randrange(6)
    if action == 0:
        (root / name).unlink(missing_ok=True)
    elif action == 1:
        git(root, "add", "-A")
    elif action == 2:
        git(root, "add", "-A")
        git(root, "commit", "-q", "--allow-empty", "-m", "step")
    elif action == 3:
        git(root, "checkout", "-q", "--", ".")
    else:
        write(root, name, text=f"x = {step}\n")


def test_a_huge_file_is_left_out_by_its_size_though_it_has_holes(tree: Path) -> None:
    write(tree, "log.py", "data.txt", text="")
    os.truncate(tree / "log.py", 100 << 20)
    os.truncate(tree / "data.txt", 1 << 40)
    assert look(tree).skipped == [Skipped("data.txt", "too_large"), Skipped("log.py", "too_large")]


def test_deep_folders_are_walked(tree: Path) -> None:
    deep = "/".join(["d"] * 500) + "/a.py"
    write(tree, deep)
    assert paths(look(tree)) == [deep]


def test_a_path_longer_than_the_system_allows_hides_nothing_else(tree: Path) -> None:
    write(tree, "a.py", "z/b.py")
    folder = os.open(tree, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("long" * 60, dir_fd=folder)
        inner = os.open("long" * 60, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(os.open("c.py", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    assert paths(look(tree)) == ["a.py", "z/b.py"]


def test_a_folder_of_many_files_is_walked_in_little_memory(root: Path) -> None:
    for at in range(3_000):
        (root / f"part{at}.py").touch()
    tracemalloc.start()
    try:
        result = look(root)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(result.files) == 3_000
    assert peak / len(result.files) < 1_500


def test_numbers_that_no_column_holds_are_folded(root: Path) -> None:
    (root / "far.py").write_text("x = 1\n")
    far = 2_500 * 365 * 86_400
    os.utime(root / "far.py", (far, far))
    if (root / "far.py").stat().st_mtime != far:
        pytest.skip("no file here is of such a time")
    found = walk(root).files[0]
    read = read_file(root, found)
    assert read is not None
    assert read.entry == found
    assert -(2**63) <= found.mtime_ns < 2**63


def test_an_inode_may_have_64_bits() -> None:
    facts = os.stat_result((0o100644, 2**64 - 2, 0, 1, 0, 0, 5, 0, 0, 0), {"st_mtime_ns": 0})
    assert entry_of("a.py", facts).inode == -2
