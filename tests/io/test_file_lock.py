from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codeintel_rev.errors import Busy, IndexMissing
from codeintel_rev.io import file_lock

HOLD = """
import sys
from pathlib import Path
from codeintel_rev.io import file_lock
with file_lock.hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_holder(tmp_path: Path):
    lock = tmp_path / "locks" / "writer"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield lock, process
        process.kill()


def test_a_second_writer_learns_who_holds_the_lock(other_holder) -> None:
    lock, process = other_holder
    assert f"process {process.pid} " in (file_lock.holder(lock) or "")
    with pytest.raises(Busy, match=f"process {process.pid} "), file_lock.hold(lock, timeout_s=0):
        pass


def test_a_waiting_writer_is_told_once_and_then_goes_on(other_holder) -> None:
    lock, process = other_holder
    told = []

    def on_wait(who: str) -> None:
        told.append(who)
        process.stdin.close()

    with file_lock.hold(lock, on_wait=on_wait):
        assert len(told) == 1
    process.wait()


def test_a_killed_holder_leaves_no_lock(other_holder) -> None:
    lock, process = other_holder
    process.kill()
    process.wait()
    assert file_lock.holder(lock) is None
    with file_lock.hold(lock, timeout_s=0):
        assert file_lock.holder(lock) is not None


def test_nobody_holds_a_lock_that_was_never_taken(tmp_path: Path) -> None:
    assert file_lock.holder(tmp_path / "writer") is None


def test_a_lock_does_not_bring_back_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "repository"
    with pytest.raises(IndexMissing, match="is gone"), file_lock.hold(gone / "locks" / "writer"):
        pass
    assert not gone.exists()
