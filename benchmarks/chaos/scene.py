"""A served index whose parts can be hurt, one after another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from edits import REPOSITORY, Editor
from machine_faults import Preload, SmallDisk
from models import MODELS, ModelProcess
from process import Server
from server import queries_of, serving
from targets import JSON, LIMIT, Target

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.config.settings import load_settings

T = TypeVar("T")

PROGRAM = [sys.executable, "-P", "-m", "codeintel_rev"]
QUERIES = 200
ANSWERS_IN = 10
"""Of so many requests one is a question."""

SLOW_DISK_MS = 20.0
CLOCK_JUMP_S = 26 * 3600
EDITED_WITHIN_S = 30.0
CODE = "code"


class Deed(NamedTuple):
    """Something that is done to a server."""

    name: str
    begin: Callable[[], AbstractContextManager[None]]
    seconds: float = 0.0
    """How long it lasts."""
    may_break: bool = False
    """Whether requests that are under way may lose their connection."""


class Scene:
    """An index of two repositories, one of which is edited, served by two workers."""

    def __init__(self, folder: Path, repository: Path, running: ExitStack) -> None:
        """Index a copy of ``repository`` and serve it until ``running`` ends."""
        self._data = folder / "disk" / "data"
        self.left_out: dict[str, str] = {}
        """Faults that this machine does not let be tried, and why."""
        self._disk = self._allowed("full_disk", lambda: SmallDisk(folder / "disk", running))
        ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".codeintel")
        shutil.copytree(repository, folder / CODE, ignore=ignored)
        self.editor = Editor(folder / REPOSITORY)
        self.codeintel("index", str(folder / CODE), str(self.editor.folder))
        with LocalIndex(self._data, load_settings({})) as index:
            self._queries = queries_of(index, QUERIES)
        self._models = ModelProcess()
        running.callback(self._models.kill)
        self._redis = PrivateRedis()
        running.callback(self._redis.close)
        self._redis.start()
        self._preload = self._allowed("slow_disk, clock_jump", lambda: Preload(folder, running))
        os.environ |= MODELS | {"REDIS_URL": self._redis.url, "VLLM_BASE_URL": self._models.url}
        os.environ["SERVER_LOG_REQUESTS"] = "false"  # what breaks shows in the rest of the log
        self._serving = ExitStack()
        running.enter_context(self._serving)
        started = serving(self._data, 2, refresh=True)
        self.server = Server(*self._serving.enter_context(started))

    @property
    def targets(self) -> list[Target]:
        """The requests: searches, and now and then a question."""
        return [self._target(number, query) for number, query in enumerate(self._queries)]

    @property
    def deeds(self) -> Iterator[Deed]:
        """What is done, in this order."""
        yield Deed("kill_worker", self._killed_worker, may_break=True)
        yield Deed("stop_worker", self._stopped_worker, 5)
        yield Deed("redis_away", self._redis_away, 5)
        yield Deed("models_stalled", self._models_stalled, 5)
        yield Deed("models_killed", self._models_killed, 5)
        yield Deed("models_garbage", self._models_garbage, 5)
        yield Deed("kill_indexer", self._killed_indexer)
        if self._disk:
            yield Deed("full_disk", self._disk.full, 5)
        if self._preload:
            preload = self._preload
            yield Deed("slow_disk", lambda: preload.slow_disk(SLOW_DISK_MS), 8)
            yield Deed("clock_jump", lambda: preload.clock_off_by(CLOCK_JUMP_S), 5)
        yield Deed("compact", self._compacted)

    def end(self) -> None:
        """Let the server end as it does when it is told to."""
        self._serving.close()

    def traced(self) -> set[str]:
        """Return which answers left a trace."""
        listed = self.codeintel("traces", "--json", "--limit", "10000")
        return {trace["trace_id"] for trace in json.loads(listed)["traces"]}

    def damage(self) -> list[str]:
        """Return what `codeintel doctor` finds wrong, but for files that nobody reads any more.

        The next compaction deletes those that readers kept from being deleted.
        """
        checks = json.loads(self.codeintel("doctor", "--json"))["checks"]
        bad = [check for check in checks if not check["ok"]]
        return [f"{c['name']}: {c['detail']}" for c in bad if not c["name"].endswith(": orphans")]

    def codeintel(self, *arguments: str) -> str:
        """Run a command on the index; returns what it prints."""
        command = [*PROGRAM, *arguments, "--data-dir", str(self._data)]
        return subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True).stdout

    def _target(self, number: int, query: str) -> Target:
        asked = {"query": query, "scope": {"repos": [CODE]}}
        if number % ANSWERS_IN == 0:
            return Target("/v1/answers", json.dumps(asked).encode(), JSON)
        return Target("/v1/search", json.dumps(asked | {"limit": LIMIT}).encode(), JSON)

    def _allowed(self, name: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except (OSError, subprocess.CalledProcessError) as error:
            self.left_out[name] = str(error)
            return None

    @contextmanager
    def _killed_worker(self) -> Iterator[None]:
        os.kill(max(self._processes("spawn_main")), signal.SIGKILL)
        yield

    @contextmanager
    def _stopped_worker(self) -> Iterator[None]:
        worker = min(self._processes("spawn_main"))  # which has the connections
        os.kill(worker, signal.SIGSTOP)
        yield
        os.kill(worker, signal.SIGCONT)

    @contextmanager
    def _redis_away(self) -> Iterator[None]:
        self._redis.stop()
        yield
        self._redis.start()

    @contextmanager
    def _models_stalled(self) -> Iterator[None]:
        self._models.stall()
        yield
        self._models.go_on()

    @contextmanager
    def _models_killed(self) -> Iterator[None]:
        self._models.kill()
        yield
        self._models.start()

    @contextmanager
    def _models_garbage(self) -> Iterator[None]:
        self._models.say("garbage")
        yield
        self._models.say("fair")

    @contextmanager
    def _killed_indexer(self) -> Iterator[None]:
        """Kill the process that follows edits, while it has something to do."""
        number = self.editor.number
        deadline = time.monotonic() + EDITED_WITHIN_S
        while self.editor.number == number and time.monotonic() < deadline:
            time.sleep(0.001)
        os.kill(max(self._processes("refresher")), signal.SIGKILL)
        yield

    @contextmanager
    def _compacted(self) -> Iterator[None]:
        self.codeintel("compact")
        yield

    def _processes(self, word: str) -> list[int]:
        """Return the processes of the server whose command holds ``word``."""
        found = []
        for pid in self.server.pids:
            with suppress(OSError):
                if word in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"):
                    found.append(pid)
        return found
