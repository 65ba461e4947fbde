"""The process that keeps an index up to date is there again when it ended."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from codeintel_rev.app import refresher_process
from codeintel_rev.app.refresher_process import RefresherProcess


def test_it_is_started_again_also_after_there_was_no_room_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = 0
    again = Event()
    start = subprocess.Popen

    def popen(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        nonlocal starts
        starts += 1
        if starts == 2:
            raise OSError(errno.EAGAIN, "no more processes")
        if starts == 3:
            again.set()
        return start(*args, **options)

    monkeypatch.setattr(refresher_process, "_BOOT", "raise SystemExit(3)")
    monkeypatch.setattr(refresher_process, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(subprocess, "Popen", popen)
    process = RefresherProcess(tmp_path / "dd", tmp_path)
    try:
        assert again.wait(60)
    finally:
        process.close()
