"""A clock that is set back, or far forward, while an index follows a folder: no edit is lost."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.indexing.retention import retain
from codeintel_rev.io.journal_compaction import StoredVersion

from .conftest import Git, commit

HOUR_NS = 3_600 * 10**9
STEPS = {"back": -HOUR_NS, "forward": HOUR_NS, "years back": -200_000 * HOUR_NS}
"""How far the clock is set, in nanoseconds."""


def edited(path: Path, text: str, step_ns: int) -> None:
    """Write a file at a moment at which the clock shows another time."""
    path.write_text(text)
    now = time.time_ns() + step_ns
    os.utime(path, ns=(now, now))


def function(name: str) -> str:
    return f"def {name}():\n    return 1\n"


@pytest.fixture(params=["plain", "git"])
def root(request: pytest.FixtureRequest, tmp_path: Path, git: Git) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    for name in ("a", "b", "c"):
        edited(folder / f"{name}.py", function(f"aaa_{name}"), -10 * HOUR_NS)
    if request.param == "git":
        git(tmp_path, "init", "-q", "-b", "main", "shop")
        commit(git, folder)
    index_repositories([folder])
    return folder


def sequence(root: Path) -> int:
    with open_index(root) as index, index.selected(None)[0].view() as view:
        assert view is not None
        return view.sequence


def found(root: Path, name: str) -> bool:
    with open_index(root) as index:
        return any(name in hit.code for hit in index.search(name).hits)


@pytest.mark.parametrize("step", STEPS)
def test_an_edit_at_another_time_of_the_clock_is_found(root: Path, step: str) -> None:
    for name in ("bbb_a", "ccc_a", "ddd_a"):  # of one size, each in place of the one before
        edited(root / "a.py", function(name), STEPS[step])
        assert found(root, name)


def test_an_edit_that_brings_an_old_time_back_is_found_by_its_bytes(root: Path) -> None:
    past = (root / "a.py").stat()
    edited(root / "a.py", function("bbb_a"), 0)
    assert found(root, "bbb_a")
    (root / "a.py").write_text(function("aaa_a"))
    os.utime(root / "a.py", ns=(past.st_atime_ns, past.st_mtime_ns))
    assert found(root, "aaa_a")
    assert not found(root, "bbb_a")


def test_files_from_the_future_are_read_once_and_not_at_each_search(root: Path) -> None:
    for number in range(40):
        edited(root / f"late_{number}.py", function(f"late_{number}"), HOUR_NS)
    assert found(root, "late_7")
    before = sequence(root)
    assert sequence(root) == before


def test_a_clock_far_forward_costs_only_what_might_have_come_back() -> None:
    day_ns = 24 * HOUR_NS
    spans = np.array([[row, 1, 1, 0, 1] for row in range(10)], dtype=np.int32)
    held = StoredVersion(1, "a", b"1", 0, spans[:8], (1,))
    loose = StoredVersion(2, "a", b"2", 100 * day_ns, spans[8:9], ())
    assert retain([held, loose], 10, 101 * day_ns).dropped == []
    assert retain([held, loose], 10, 900 * day_ns).dropped == [2]
    assert retain([held, loose], 10, 1 * day_ns).dropped == [], "retired in what is now the future"
    assert retain([held, loose], 10, 900 * day_ns).kept[:8].all()
