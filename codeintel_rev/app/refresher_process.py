"""The process that keeps an index up to date, as its server sees it."""

from __future__ import annotations

import logging
import subprocess
import time
from pathlib import Path
from threading import Event, Thread

from codeintel_rev.io import own_process

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_END_TIMEOUT_S = 10.0

_BOOT = "from codeintel_rev.app.refresher import main; main()"


class RefresherProcess:
    """Runs ``refresher`` in a process of its own, started again when it dies.

    It ends when this process does, for it reads a pipe from here.
    """

    def __init__(self, data_dir: Path, root: Path) -> None:
        """Start it; ``root`` is indexed where ``data_dir`` holds no index yet."""
        self._command = own_process.python("-c", _BOOT, str(data_dir), str(root))
        self._over = Event()
        self._process = self._start()
        self._guard = Thread(target=self._keep_alive, name="refresher guard", daemon=True)
        self._guard.start()

    def close(self) -> None:
        """End it; waits a little for a commit that is under way, which is safe to interrupt."""
        self._over.set()
        _end(self._process)
        self._guard.join()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            env=own_process.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for its owner
        )

    def _keep_alive(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._over.is_set():
            began = time.monotonic()
            code = self._process.wait()
            if time.monotonic() - began > _LONGEST_PAUSE_S:  # it did work
                pause_s = _FIRST_PAUSE_S
            if self._over.wait(pause_s):
                return
            _log.warning("the refresher ended with %d and is started again", code)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            try:
                self._process = self._start()
            except OSError:  # no room for another process now
                _log.warning("the refresher cannot be started", exc_info=True)
            if self._over.is_set():
                _end(self._process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
