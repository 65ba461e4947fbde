"""Builds and compacts an index inside a control group that has so much memory, and no more.

    sudo python benchmarks/within_memory.py FOLDER --data DIR [--gib 2]

The kernel counts what all processes hold, pages of files included, and ends them when that does not
fit; nothing is swapped. Needs the right to make a control group below ``/sys/fs/cgroup/memory``
(version 1). Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import machine

MEMORY = Path("/sys/fs/cgroup/memory")
PROGRAM = [sys.executable, "-m", "codeintel_rev"]
SAMPLE_S = 0.2
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="is made")
    parser.add_argument("--gib", type=float, default=2.0)
    options = parser.parse_args()
    about = machine()
    limit = int(options.gib * 2**30)
    folder, data = options.folder.resolve(), ["--data-dir", str(options.data)]
    os.environ["COMPACTION_AUTO"] = "false"
    index = held(limit, [*PROGRAM, "index", str(folder), *data, "--json"])
    compact = held(limit, [*PROGRAM, "compact", *data, "--json"])
    status = [*PROGRAM, "status", *data, "--json"]
    told = json.loads(subprocess.run(status, capture_output=True, check=True).stdout)
    figures = {"chunks": told["chunks"], "limit_gib": options.gib, "index": index}
    print(json.dumps({"machine": about, **figures, "compact": compact}, indent=1))


def held(limit: int, command: list[str]) -> dict[str, float]:
    """Run a command in a group of its own, and return what it took and what the kernel counted."""
    with group(limit) as place:
        peak = [0]
        over = threading.Event()
        watcher = threading.Thread(target=watch, args=(place, peak, over))
        watcher.start()
        began = time.perf_counter()
        joined = ["sh", "-c", 'echo $$ > "$0"; exec "$@"', str(place / "cgroup.procs"), *command]
        try:
            ran = subprocess.run(joined, stdout=subprocess.DEVNULL, check=False)
        finally:
            over.set()
            watcher.join()
        return {
            "exit_code": ran.returncode,
            "seconds": round(time.perf_counter() - began, 1),
            "peak_mib": number(place / "memory.max_usage_in_bytes") // MIB,
            "peak_without_files_mib": peak[0] // MIB,
            "pages_taken_back": number(place / "memory.failcnt"),
            "killed": field(place / "memory.oom_control", "oom_kill"),
        }


@contextmanager
def group(limit: int) -> Iterator[Path]:
    place = MEMORY / f"codeintel-{os.getpid()}"
    place.mkdir()
    try:
        (place / "memory.limit_in_bytes").write_text(str(limit))
        (place / "memory.swappiness").write_text("0")
        yield place
    finally:
        place.rmdir()


def watch(place: Path, peak: list[int], over: threading.Event) -> None:
    """Note the most that the group's processes hold for themselves."""
    while not over.wait(SAMPLE_S):
        peak[0] = max(peak[0], field(place / "memory.stat", "total_rss"))


def number(path: Path) -> int:
    return int(path.read_text())


def field(path: Path, name: str) -> int:
    lines = (line.split() for line in path.read_text().splitlines())
    return next(int(value) for key, value in lines if key == name)


if __name__ == "__main__":
    main()
