"""A few of the kills that ``python -m tests.faults.kill`` makes by the hundred."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.kill import Kill, choose, play, set_scene


@pytest.mark.parametrize(("action", "points"), [("batches", 3), ("rebuild", 3), ("compact", 4)])
def test_a_kill_costs_only_the_work_of_the_killed(tmp_path: Path, action: str, points: int) -> None:
    scene = set_scene(tmp_path, action)
    rng = random.Random(len(scene.steps))
    kills = [kill for kill in choose(scene, points, rng) if kill.step is not None]
    assert all(play(scene, kill) for kill in kills)


def test_what_was_committed_last_survives(tmp_path: Path) -> None:
    scene = set_scene(tmp_path, "refresh")
    assert play(scene, Kill(scene.done_at, None))
