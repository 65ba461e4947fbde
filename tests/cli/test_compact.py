from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.cli import exit_codes
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.registry import Registry


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").write_text("def a():\n    return 1\n")
    index_repositories([tmp_path / "shop"])
    return tmp_path / "shop" / ".codeintel"


def compact(*words: str) -> subprocess.CompletedProcess[str]:
    """Compact in a process of its own: it lowers its priority for good."""
    command = [sys.executable, "-m", "codeintel_rev", "compact", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_outcome_is_told_for_each_repository(data_dir: Path) -> None:
    told = compact("--data-dir", str(data_dir))
    assert told.returncode == exit_codes.DONE
    assert told.stdout.startswith("shop: nothing to drop yet, catalog of 1 chunks built for SQL, ")
    told = compact("--data-dir", str(data_dir))
    assert told.stdout.startswith("shop: 1 chunks kept, 0 dropped, ")
    told = compact("--data-dir", str(data_dir), "--json")
    (done,) = json.loads(told.stdout)["repos"]
    assert (done["name"], done["generation"], done["chunks"], done["dropped"]) == ("shop", 3, 1, 0)


def test_no_wait_names_who_compacts(data_dir: Path) -> None:
    registry = Registry(data_dir)
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    with file_lock.hold(folder.compactor_lock):
        told = compact("--data-dir", str(data_dir), "--no-wait")
    assert told.returncode == exit_codes.BUSY
    assert f"being compacted by process {os.getpid()}" in told.stderr


def test_without_an_index_there_is_nothing_to_compact(tmp_path: Path) -> None:
    told = compact("--data-dir", str(tmp_path / "none"))
    assert told.returncode == exit_codes.INDEX
    assert "codeintel index" in told.stderr
