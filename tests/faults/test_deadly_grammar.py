"""A grammar that ends its process, as C code can on a file that nobody foresaw."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.errors import Unavailable
from codeintel_rev.indexing.file_source import DiskSource
from codeintel_rev.indexing.parse_pool import ParsePool
from codeintel_rev.indexing.worker_process import WorkerProcess
from codeintel_rev.io import own_process
from codeintel_rev.types import FileEntry

DEADLY = "import os, signal\n\n\ndef language():\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
SCRIPTS = ("build.sh", "deploy.sh")


@pytest.fixture
def deadly_grammar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new processes find a grammar of shell scripts that kills them."""
    folder = tmp_path / "grammars"
    folder.mkdir()
    (folder / "tree_sitter_bash.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    for at in range(5):
        (root / f"part{at}.py").write_text(f"def part_{at}(path):\n    return open(path)\n")
    for name in SCRIPTS:
        (root / name).write_text(f"ship_{name.partition('.')[0]}() {{\n  echo shipped\n}}\n")
    return root


def entries(root: Path) -> list[FileEntry]:
    stats = {path.name: path.stat() for path in sorted(root.iterdir()) if path.is_file()}
    return [FileEntry(name, s.st_size, s.st_mtime_ns, s.st_ino) for name, s in stats.items()]


def index(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        own_process.python("-m", "codeintel_rev", "index", str(root)),
        env=own_process.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.usefixtures("deadly_grammar")
def test_a_worker_that_dies_costs_one_file_its_syntax(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = ParsePool(2, "shop", DiskSource(root), None)
    try:
        prepared = [file for batch in pool.run([entries(root)]) for file in batch]
    finally:
        pool.close()
    assert [file.entry.path for file in prepared] == [entry.path for entry in entries(root)]
    for file in prepared:
        assert file.chunks
        assert bool(file.symbols) == (file.entry.path not in SCRIPTS)
    told = sorted(record.getMessage().partition(" ")[0] for record in caplog.records)
    assert told == sorted(SCRIPTS)


@pytest.mark.usefixtures("deadly_grammar")
def test_an_indexer_that_died_survives_the_next_time(root: Path) -> None:
    assert index(root).returncode < 0
    second = index(root)
    assert second.returncode == 0, second.stderr
    assert all(f"{name} is cut by lines" in second.stderr for name in SCRIPTS)
    with open_index(root, refresh=False) as opened:
        assert {"part0.py", "part4.py"} <= found(opened, "part open path")
        assert set(SCRIPTS) <= found(opened, "echo shipped")
    third = index(root)
    assert "cut by lines" not in third.stderr  # nothing is left to be read again
    assert not list(root.glob(".codeintel/repos/*/parsing"))


@pytest.mark.usefixtures("deadly_grammar")
def test_what_was_indexed_before_is_searched_after_a_death(root: Path) -> None:
    for name in SCRIPTS:
        (root / name).unlink()
    assert index(root).returncode == 0
    (root / "late.sh").write_text("late() {\n  echo late\n}\n")
    (root / "part0.py").write_text("def edited(path):\n    return path\n")
    assert index(root).returncode < 0
    with open_index(root, refresh=False) as opened:
        assert "part0.py" in found(opened, "part_0")
    assert index(root).returncode == 0
    with open_index(root, refresh=False) as opened:
        assert "part0.py" in found(opened, "edited")
        assert "late.sh" in found(opened, "late")


def found(opened: LocalIndex, query: str) -> set[str]:
    return {hit.uri for hit in opened.search(query).hits}


def test_a_worker_that_was_killed_is_replaced(root: Path) -> None:
    worker = WorkerProcess("shop", DiskSource(root), None)
    try:
        before = worker.pid
        subprocess.run(["kill", "-9", str(before)], check=True)
        assert len(worker.prepare(entries(root))) == len(entries(root))
        assert worker.pid != before
    finally:
        worker.close()


def test_workers_that_cannot_live_are_an_error_and_not_a_hang(root: Path) -> None:
    pool = ParsePool(1, "shop", DiskSource(root), root / "no-such-model.bin")
    try:
        with pytest.raises(Unavailable, match="parse workers die at once"):
            list(pool.run([entries(root)[:1]]))
    finally:
        pool.close()


def test_a_process_that_may_end_ends_at_a_file_that_takes_too_long() -> None:
    work = """
from codeintel_rev.indexing import parse_limit
with parse_limit.limited(1):
    sum(range(3_000_000))  # not armed yet
parse_limit.arm(0.05)
with parse_limit.limited(1):
    pass
sum(range(3_000_000))
print("alive", flush=True)
with parse_limit.limited(1):
    while True:
        pass
"""
    command = own_process.python("-c", work)
    ran = subprocess.run(command, capture_output=True, check=False, env=own_process.environment())
    assert ran.stdout == b"alive\n"
    assert ran.returncode == -signal.SIGPROF


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is not told here")
def test_a_process_that_may_end_gets_no_more_memory_for_a_file_than_it_may_take() -> None:
    work = """
from codeintel_rev.indexing import parse_limit
parse_limit.arm()
with parse_limit.limited(1):
    try:
        bytearray(3 << 30)
    except MemoryError:
        print("refused", flush=True)
"""
    command = own_process.python("-c", work)
    ran = subprocess.run(command, capture_output=True, check=False, env=own_process.environment())
    assert (ran.returncode, ran.stdout) == (0, b"refused\n")
