"""``codeintel watch`` and other commands beside it, each its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.io import file_lock

BASKET = "def add_to_basket(item):\n    return item\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "basket.py").write_text(BASKET)
    codeintel(root, "index")
    return root


def environment(root: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CODEINTEL_", "XDG_"))}
    return {**kept, "HOME": str(root.parent)}


def codeintel(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codeintel_rev", *words],
        cwd=root,
        env=environment(root),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def watching(root: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a watcher that has begun to watch; it is killed in the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "codeintel_rev", "watch", *words],
        cwd=root,
        env=environment(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "watching shop" in process.stderr.readline()
        try:
            yield process
        finally:
            process.kill()


def found(root: Path, query: str) -> list[str]:
    done = codeintel(root, "search", query, "--json")
    assert done.returncode == exit_codes.DONE, done.stderr
    return [hit["symbol"] for hit in json.loads(done.stdout)["hits"]]


def test_each_update_is_a_line_and_ctrl_c_ends_it(repo: Path) -> None:
    with watching(repo) as process:
        (repo / "basket.py").write_text("def empty_basket():\n    return None\n")
        assert process.stdout is not None
        assert process.stdout.readline().startswith("shop: 1 changed in ")
        assert found(repo, "empty_basket")[0] == "empty_basket"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == exit_codes.INTERRUPTED
        assert process.stderr is not None
        assert "interrupted" in process.stderr.read()


def test_the_document_counts_what_was_done(repo: Path) -> None:
    with watching(repo, "--json") as process:
        (repo / "price.py").write_text("def price_of(item):\n    return 1\n")
        assert process.stderr is not None
        assert "shop: 1 added in " in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        document = json.loads(process.stdout.read())
        assert process.wait(30) == exit_codes.DONE
    assert document == {"updates": 1, "added": 1, "changed": 0, "removed": 0}


def test_a_second_watcher_is_told_of_the_first(repo: Path) -> None:
    with watching(repo) as process:
        second = codeintel(repo, "watch")
    assert second.returncode == exit_codes.BUSY
    assert f"being watched by process {process.pid} " in second.stderr


def test_searches_see_each_edit_whoever_indexes_it(repo: Path) -> None:
    with watching(repo):
        for number in range(3):
            (repo / "basket.py").write_text(f"def basket_number_{number}():\n    return None\n")
            assert found(repo, f"basket_number_{number}")[0] == f"basket_number_{number}"


def test_a_search_does_not_wait_for_a_watcher_that_is_stuck(repo: Path) -> None:
    with watching(repo) as process:
        (repo / "price.py").write_text("def price_of(item):\n    return 1\n")
        assert process.stdout is not None
        assert process.stdout.readline().startswith("shop: 1 added in ")  # it holds no lock now
        process.send_signal(signal.SIGSTOP)
        (repo / "basket.py").write_text("def empty_basket():\n    return None\n")
        assert found(repo, "empty_basket")[0] == "empty_basket"
        process.send_signal(signal.SIGCONT)


def test_an_index_that_is_being_written_names_its_writer(repo: Path) -> None:
    (lock,) = (repo / ".codeintel").glob("repos/*/locks/writer")
    (repo / "basket.py").write_text("def empty_basket():\n    return None\n")
    with file_lock.hold(lock):
        refused = codeintel(repo, "index", "--no-wait", "--json")
        assert refused.returncode == exit_codes.BUSY
        assert f"process {os.getpid()} " in json.loads(refused.stdout)["error"]["message"]
        stale = codeintel(repo, "search", "add_to_basket", "--json")
        assert json.loads(stale.stdout)["limits"] == ["stale_index"]
        status = codeintel(repo, "status", "--json")
        assert f"process {os.getpid()} " in json.loads(status.stdout)["writer"]
        command = [sys.executable, "-m", "codeintel_rev", "index"]
        waiting = subprocess.Popen(
            command, cwd=repo, env=environment(repo), stderr=subprocess.PIPE, text=True
        )
        assert waiting.stderr is not None
        assert f"waiting for process {os.getpid()} " in waiting.stderr.readline()
    assert waiting.wait(60) == exit_codes.DONE
    waiting.stderr.close()
    assert found(repo, "empty_basket")[0] == "empty_basket"
