"""What becomes of searches while parts of a server are killed.

    PYTHONPATH=.:benchmarks python benchmarks/load/chaos.py REPOSITORY [--rate 100] [--pause 6]

Indexes a copy of REPOSITORY, serves it with two workers and a Redis of its own, and asks the same
questions all the time while, one after another, a worker is killed, Redis ends and comes back, an
indexer is killed at work, and the index is compacted. The text of the repository stays as it is, so
that every answer has to name the chunks that were found before: others are counted as ``wrong``. A
request whose connection breaks is counted as ``broken``. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from generator import Phase
from machine import machine
from process import Server
from run import use_fast_loop
from server import queries_of, serving
from targets import JSON, LIMIT, Target

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.config.settings import load_settings

PROGRAM = [sys.executable, "-P", "-m", "codeintel_rev"]
QUERIES = 200


class Scene:
    """A served index whose parts can be hurt."""

    def __init__(self, folder: Path, repository: Path, running: ExitStack) -> None:
        self._repository, self._data = folder / "repository", folder / "data"
        ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".codeintel")
        shutil.copytree(repository, self._repository, ignore=ignored)
        self._codeintel("index", str(self._repository))
        with LocalIndex(self._data, load_settings({})) as index:
            self.expected = {
                query: [str(hit.doc_id) for hit in index.search(query, limit=LIMIT).hits]
                for query in queries_of(index, QUERIES)
            }
        self._redis = PrivateRedis()
        running.callback(self._redis.close)
        self._redis.start()
        os.environ["REDIS_URL"] = self._redis.url
        self.server = Server(*running.enter_context(serving(self._data, 2)))

    def end_redis(self) -> None:
        """Take Redis away."""
        self._redis.stop()

    def start_redis(self) -> None:
        """Bring Redis back, without what it knew."""
        self._redis.start()

    def kill_worker(self) -> None:
        """Kill one of the processes that serve."""
        os.kill(max(self.server.pids), signal.SIGKILL)

    def kill_indexer(self) -> None:
        """Kill a process that makes the whole index anew."""
        command = [
            *PROGRAM,
            "index",
            "--full",
            str(self._repository),
            "--data-dir",
            str(self._data),
        ]
        indexer = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            indexer.wait(2)
        except subprocess.TimeoutExpired:
            indexer.kill()
            indexer.wait()

    def compact(self) -> None:
        """Compact the index."""
        self._codeintel("compact")

    def _codeintel(self, *arguments: str) -> None:
        subprocess.run(
            [*PROGRAM, *arguments, "--data-dir", str(self._data)], check=True, capture_output=True
        )


def right_by(expected: dict[str, list[str]]) -> Callable[[Target, bytes], bool]:
    """Return what tells whether a reply names the chunks that are expected."""

    def is_right(target: Target, body: bytes) -> bool:
        found = [hit["id"] for hit in json.loads(body)["hits"]]
        return found == expected[json.loads(target.body)["query"]]

    return is_right


async def hurt(scene: Scene, pause_s: float) -> list[tuple[float, str]]:
    """Do one thing after another to a server; returns when each was done."""
    began = asyncio.get_running_loop().time()
    done: list[tuple[float, str]] = []
    deeds: tuple[Callable[[], object], ...] = (
        scene.kill_worker,
        scene.end_redis,
        scene.start_redis,
        scene.kill_indexer,
        scene.compact,
    )
    for deed in deeds:
        await asyncio.sleep(pause_s)
        done.append((round(asyncio.get_running_loop().time() - began, 1), deed.__name__))
        await asyncio.to_thread(deed)
    return done


async def played(scene: Scene, rate: float, pause_s: float) -> dict[str, object]:
    """Return what became of the requests of a whole schedule."""
    targets = [
        Target("/v1/search", json.dumps({"query": query, "limit": LIMIT}).encode(), JSON)
        for query in scene.expected
    ]
    seconds = pause_s * 6 + 10
    phase = Phase(scene.server.port, rate, seconds, right_by(scene.expected))
    outcome, deeds = await asyncio.gather(phase.run(itertools.cycle(targets)), hurt(scene, pause_s))
    return {
        "rate": rate,
        "seconds": seconds,
        "deeds": deeds,
        "statuses": dict(outcome.statuses),
        "answered": outcome.answered.summary(),
        "broken_by_second": dict(sorted(outcome.broken_by_second.items())),
        "p95_ms_by_second": {
            second: times.percentile_ms(95) for second, times in sorted(outcome.by_second.items())
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--pause", type=float, default=6)
    options = parser.parse_args()
    use_fast_loop()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        scene = Scene(Path(folder), options.repository, running)
        told = asyncio.run(played(scene, options.rate, options.pause))
    print(json.dumps({"machine": machine(), "questions": len(scene.expected), **told}, indent=1))


if __name__ == "__main__":
    main()
