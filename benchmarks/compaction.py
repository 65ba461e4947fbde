"""Times a compaction against a rebuild, and follows the size of an index through many of them.

    python benchmarks/compaction.py REPO [--share 0.2] [--cycles 0]

Compacts the fresh index of a copy of REPO, edits ``--share`` of its files so that all their chunks
change, lets the old ones be older than compaction keeps them, and compacts again. ``--cycles`` more
times one file is edited and the index compacted. Prints one JSON document; sizes are multiples of the indexed text.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from corpus import source_files
from machine import machine

PROGRAM = [sys.executable, "-m", "codeintel_rev"]
os.environ["COMPACTION_AUTO"] = "false"  # or what is timed was done in the background already
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
SAMPLE_S = 0.02
TOLD_CYCLES = 100


class Cost(NamedTuple):
    """What one process took, in seconds."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repo", type=Path)
    parser.add_argument("--share", type=float, default=0.2, help="of the files that are edited")
    parser.add_argument("--cycles", type=int, default=0, help="more edits, each then compacted")
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as scratch:
        root, data = Path(scratch) / options.repo.name, Path(scratch) / "data"
        shutil.copytree(options.repo, root, ignore=shutil.ignore_patterns(".git", ".codeintel"))
        figures = measure(root, data, options.share)
        if options.cycles:
            figures["cycles"] = cycle(root, data, options.cycles)
    print(json.dumps({"machine": about, "repo": options.repo.name, "figures": figures}, indent=2))


def measure(root: Path, data: Path, share: float) -> dict[str, object]:
    run("index", str(root), "--data-dir", str(data))
    first, _ = run("compact", "--data-dir", str(data))
    files = [path for path in source_files(root) if path.suffix == ".py"] or [*source_files(root)]
    for path in files[:: max(1, round(1 / share))] if share else []:
        rewrite(path, edition=0)
    run("index", str(root), "--data-dir", str(data))
    forget_the_dead(data)
    text, before = text_bytes(data), size(data)
    with Peak(data) as peak:
        compaction, report = run("compact", "--data-dir", str(data))
    after, divided = size(data), parts(data)
    rebuild, _ = run("index", "--full", str(root), "--data-dir", str(data))
    (done,) = report["repos"]
    return {
        "text_bytes": text,
        "chunks": done["chunks"],
        "dropped": done["dropped"],
        "rebuild_s": rebuild._asdict(),
        "first_compaction_s": first._asdict(),
        "compaction_s": compaction._asdict(),
        "compaction_of_rebuild": {
            "wall": round(compaction.wall / rebuild.wall, 3),
            "cpu": round(compaction.cpu / rebuild.cpu, 3),
        },
        "disk_of_text": {
            "before": round(before / text, 3),
            "at_most_during": round(peak.highest / text, 3),
            "after": round(after / text, 3),
            "parts_after": {name: round(part / text, 3) for name, part in divided.items()},
        },
    }


def cycle(root: Path, data: Path, cycles: int) -> dict[str, object]:
    """Edit one file and compact, again and again, in this process; returns how the size went."""
    from codeintel_rev.app.compaction import compact_data_dir
    from codeintel_rev.app.indexer import index_repositories
    from codeintel_rev.app.refreshing import quiet

    edited = next(source_files(root))
    sizes, started = [], time.perf_counter()
    for edition in range(cycles):
        rewrite(edited, edition)
        index_repositories([root], data_dir=data)
        forget_the_dead(data)
        compact_data_dir(data, progress=quiet)
        sizes.append(size(data))
        if len(sizes) % TOLD_CYCLES == 0:
            print(f"{len(sizes)} cycles: {sizes[-1]:,} bytes", file=sys.stderr)
    return {
        "count": cycles,
        "seconds": round(time.perf_counter() - started, 1),
        "bytes_after_the_first": sizes[0],
        "bytes_at_most": max(sizes),
        "bytes_after_the_last": sizes[-1],
        "bytes_after_each_100": sizes[TOLD_CYCLES - 1 :: TOLD_CYCLES],
        "files_after_the_last": sum(path.is_file() for path in data.rglob("*")),
    }


def rewrite(path: Path, edition: int) -> None:
    """Change every chunk of a file, replacing what an earlier edition wrote."""
    mark = "edited for the benchmark, edition"
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    kept = [line for line in lines if mark not in line]
    for at in range(0, len(kept), 10):
        indent = kept[at][: len(kept[at]) - len(kept[at].lstrip())]
        kept[at] = f"{indent}# {mark} {edition}\n{kept[at]}"
    path.write_text("\n".join(kept), encoding="utf-8")


def run(*words: str) -> tuple[Cost, dict[str, list[dict[str, int]]]]:
    """Run one command; returns what it took and its document."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*PROGRAM, *words, "--json"], stdout=subprocess.PIPE, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(round(wall, 2), round(cpu, 2)), json.loads(done.stdout)


def journal(data: Path) -> sqlite3.Connection:
    (found,) = data.glob("repos/*/state.sqlite")
    return sqlite3.connect(found, isolation_level=None)


def forget_the_dead(data: Path) -> None:
    """Let every version that no snapshot holds be older than compaction keeps it."""
    connection = journal(data)
    connection.execute("UPDATE version SET retired_ns = 0")
    connection.close()


def text_bytes(data: Path) -> int:
    connection = journal(data)
    (total,) = connection.execute("SELECT sum(size) FROM snapshot_file").fetchone()
    connection.close()
    return int(total)


def parts(data: Path) -> dict[str, int]:
    (repository,) = (data / "repos").iterdir()
    return {
        path.name: size(path) if path.is_dir() else path.stat().st_size
        for path in sorted(repository.iterdir())
    }


def size(folder: Path) -> int:
    """Return the bytes of all files; one with several names, as a compaction gives, counts once."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # taken away meanwhile
            stat = path.stat()
            found[stat.st_ino] = stat.st_size if path.is_file() else 0
    return sum(found.values())


class Peak:
    """Samples the size of a folder while a block runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.highest = 0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_S):
            self.highest = max(self.highest, size(self._folder))


if __name__ == "__main__":
    main()
