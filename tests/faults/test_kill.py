"""A few of the kills that ``python -m tests.faults.kill`` makes by the hundred."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.kill import Kill, choose, play, set_scene, source

PATIENCE_S = 60.0


@pytest.mark.parametrize(("action", "points"), [("batches", 3), ("rebuild", 3), ("recompact", 4)])
def test_a_kill_costs_only_the_work_of_the_killed(tmp_path: Path, action: str, points: int) -> None:
    scene = set_scene(tmp_path, action)
    rng = random.Random(len(scene.steps))
    kills = [kill for kill in choose(scene, points, rng) if kill.step is not None]
    assert all(play(scene, kill) for kill in kills)


def test_what_was_committed_last_survives(tmp_path: Path) -> None:
    scene = set_scene(tmp_path, "refresh")
    assert play(scene, Kill(scene.done_at, None))


def test_a_killed_indexer_leaves_no_worker(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    for number in range(60):
        (root / f"part{number}.py").write_text(source(number, "only") * 20)
    command = [sys.executable, "-m", "tests.faults.victim", "workers", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + PATIENCE_S
        while not (workers := [int(pid) for pid in children.read_text().split()]):
            assert time.monotonic() < deadline
        process.kill()
    while alive := [pid for pid in workers if Path(f"/proc/{pid}/stat").exists()]:
        assert time.monotonic() < deadline, f"workers {alive} outlive their parent"
        time.sleep(0.05)
