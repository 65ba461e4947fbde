"""A process that changes and compacts a vector index is killed: nothing that it told is lost.

``CODEINTEL_KILLS=1000`` tries every step instead of some.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.config.settings import FaissConfig
from codeintel_rev.io.faiss_dual_index import Batch, FAISSDualIndexManager
from tests.faults.vector_victim import DIM, FIRST, states, vector

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("CODEINTEL_KILLS", "8"))


def run(folder: Path, *step: int) -> subprocess.CompletedProcess[str]:
    return python("-m", "tests.faults.vector_victim", str(folder), *map(str, step))


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
async def prepared(tmp_path: Path) -> Path:
    folder = tmp_path / "prepared"
    index = FAISSDualIndexManager(folder, FaissConfig(), DIM)
    vectors = np.array([vector(number) for number in range(FIRST)])
    await index.rebuild([Batch(np.arange(FIRST), vectors)])
    return folder


def strays(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "new" in path.name]


async def contents(folder: Path) -> dict[int, int]:
    """Id to number of vector, by looking for the vectors."""
    index = FAISSDualIndexManager(folder, FaissConfig(), DIM)
    ready, error = await index.ensure_ready()
    assert ready, error
    assert not strays(folder)
    held = [key for key, _ in index.search(vector(0), k=1_000)]
    assert len(held) == len(set(held))
    found = {}
    for number in (*range(FIRST), 100, 101, 105, 106):
        for key, score in index.search(vector(number), k=1):
            if score > 0.999:
                found[key] = number
    assert sorted(found) == sorted(held)
    return found


async def test_whoever_is_killed_loses_nothing_that_was_told(
    prepared: Path, tmp_path: Path
) -> None:
    names = json.loads(run(Path(shutil.copytree(prepared, tmp_path / "whole"))).stdout)
    assert {"before os.replace", "before os.fdatasync", "before os.unlink"} <= set(names)
    stride = max(1, len(names) // KILLS)
    for step in range(stride // 2, len(names), stride):
        folder = Path(shutil.copytree(prepared, tmp_path / "killed"))
        done = run(folder, step)
        assert done.returncode == -signal.SIGKILL, done.stderr
        told = len(done.stderr.splitlines())
        at = f"killed {names[step]} ({step}), after {told} changes"
        assert await contents(folder) in states()[told : told + 2], at
        index = FAISSDualIndexManager(folder, FaissConfig(), DIM)
        await index.ensure_ready()
        await index.compact()
        assert await contents(folder) in states()[told : told + 2], at
        shutil.rmtree(folder)


FULL = """
import asyncio, resource, sys
from pathlib import Path
from tests.faults.vector_victim import act
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
asyncio.run(act(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("most_bytes", [0, 30, 70, 110, 200, 600, 900, 1_000])
async def test_a_full_disk_is_told_and_loses_nothing(prepared: Path, most_bytes: int) -> None:
    done = python("-c", FULL, str(prepared), str(most_bytes))
    *told, last = [line for line in done.stderr.splitlines() if line]
    assert last.startswith("codeintel_rev.errors.StorageFailed: nothing can be written to "), last
    reached = sum(line in ("added", "removed", "added again", "compacted") for line in told)
    assert await contents(prepared) == states()[reached]
