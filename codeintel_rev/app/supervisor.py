"""Watching over the workers of a server."""

from __future__ import annotations

import logging
from socket import socket
from time import monotonic
from typing import Final

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

_PING_S: Final = 0.5
"""How long a worker is given to answer at a time: meanwhile no signal is heard."""

_END_S: Final = 5.0
"""Beyond the time that requests are given, how long a worker may take to end."""

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_WELL_S: Final = 60.0
"""Workers that have lived for so long are not dying as soon as they are started."""

_log = logging.getLogger(__name__)


class Supervisor(Multiprocess):
    """The library's, which neither waits for a worker that is stuck nor starts one without a pause."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self._heard: dict[int, float] = {}
        self._pause_s = _FIRST_PAUSE_S
        self._start_at = 0.0

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died, and those that showed no sign of life for too long."""
        if self.should_exit.is_set():
            return
        now = monotonic()
        for process in self.processes:
            self._listen_to(process, now)
        if all(process.process.is_alive() for process in self.processes):
            if now > self._start_at + _WELL_S:
                self._pause_s = _FIRST_PAUSE_S
        elif now >= self._start_at:
            self._start_at = now + self._pause_s
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
            super().keep_subprocess_alive()

    def join_all(self) -> None:
        """Wait for the workers to end; who does not is killed."""
        until = monotonic() + (self.config.timeout_graceful_shutdown or 0) + _END_S
        for process in self.processes:
            process.process.join(max(0.0, until - monotonic()))
            if process.process.is_alive():
                _log.warning("a worker did not end in time and was killed")
                process.process.kill()
        super().join_all()

    @property
    def could_start(self) -> bool:
        """Whether no worker found that it can never serve."""
        return all(process.exitcode != STARTUP_FAILURE for process in self.processes)

    def _listen_to(self, process: Process, now: float) -> None:
        assert process.pid is not None
        if process.ping(_PING_S):
            self._heard[process.pid] = now
        elif (
            now - self._heard.setdefault(process.pid, now) > self.config.timeout_worker_healthcheck
        ):
            _log.warning("a worker that showed no sign of life was killed")
            process.process.kill()
            process.process.join()
