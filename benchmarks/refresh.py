"""Times an edit until it is searchable, in a repository of 10,000 files.

    python benchmarks/refresh.py SOURCES... [--files 10000] [--runs 10] [--keep FOLDER]
                                 [--peer-python PY --peer-model DIR]

Source files below SOURCES fill the repository; each run appends a function to another file.
``fresh`` is a whole process ``codeintel search`` that finds the edit and indexes it; ``ready`` is
the same without an edit. ``warm`` is a process that stays open, from the event, the debounce apart,
to the commit and to the end of the first search after it, with the parts of which it is made.
``watched`` is the time from the edit to a hit with a watcher at work, debounce included.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from corpus import make_repository
from machine import machine

WARM = """
import functools, json, sys, time
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from codeintel_rev.app.local import open_index
from codeintel_rev.app.path_refresh import refresh_paths
from codeintel_rev.io.registry import Registry

PARTS = {
    "git": ("codeintel_rev.io.git:GitRepo.visible",),
    "survey": ("codeintel_rev.app.path_refresh:_survey",),
    "parse_and_embed": ("codeintel_rev.indexing.pipeline:prepare_files",),
    "vectors": ("codeintel_rev.io.vector_store:VectorWriter.append",),
    "words_open": ("codeintel_rev.retrieval.tantivy_writer:TantivyWriter.__init__",),
    "words_commit": ("codeintel_rev.retrieval.tantivy_writer:TantivyWriter.commit",),
    "words_close": ("codeintel_rev.retrieval.tantivy_writer:TantivyWriter.close",),
    "journal": ("codeintel_rev.indexing.store:StoreWriter.switch",
                "codeintel_rev.indexing.store:StoreWriter._record",),
}
spent = defaultdict(float)

def timed(part, call):
    @functools.wraps(call)
    def timing(*args, **options):
        started = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            spent[part] += (time.perf_counter() - started) * 1000
    return timing

for part, places in PARTS.items():
    for place in places:
        module, _, names = place.partition(":")
        *outer, last = names.split(".")
        owner = functools.reduce(getattr, outer, import_module(module))
        setattr(owner, last, timed(part, getattr(owner, last)))

root, files, watch = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "watch"
runs = []
with open_index(root) as index:
    index.search("warm up")
    registry = Registry(index.data_dir)
    (repository,) = registry.repositories()
    if watch:
        index.watch()
        time.sleep(3)
    for number, file in enumerate(files):
        name = f"zz_warm_{time.time_ns()}_{number}"
        started = time.perf_counter()
        with (root / file).open("a") as opened:
            opened.write(f"\\n\\ndef {name}(value):\\n    return value\\n")
        spent.clear()
        if not watch:
            started = time.perf_counter()
            refresh_paths(registry, repository, index.settings, index.embedder, root, [file])
        committed = time.perf_counter()
        while not any(name in hit.code for hit in index.search(name).hits):
            assert watch and time.perf_counter() - started < 30
            time.sleep(0.005)  # or this loop keeps the watcher's thread from running
        done = time.perf_counter()
        run = {"commit": (committed - started) * 1000, "total": (done - started) * 1000}
        runs.append(run | {"search": (done - committed) * 1000} | spent)
    registry.close()
print(json.dumps(runs[1:]))
"""


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, least and greatest, in milliseconds."""
    middle = statistics.median(values)
    return {"median": round(middle, 1), "min": round(min(values), 1), "max": round(max(values), 1)}


def process_ms(command: Sequence[str], **options: object) -> tuple[float, float, str]:
    """Run a process; return wall and processor milliseconds, and what it wrote."""
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, **options)
    wall, after = time.perf_counter() - started, os.times()
    used = sum(after[2:4]) - sum(before[2:4])
    return wall * 1000, used * 1000, done.stdout


def edit(root: Path, file: str, name: str) -> None:
    """Append a function of this name."""
    with (root / file).open("a") as opened:
        opened.write(f"\n\ndef {name}(value):\n    return value\n")


def fresh(root: Path, files: Sequence[str]) -> dict[str, object]:
    """Search as a process, after an edit and without one."""
    search = [sys.executable, "-m", "codeintel_rev", "search", "--repo", str(root), "--json"]
    walls, processors, ready, ready_processors = [], [], [], []
    for file in files:
        name = f"zz_fresh_{time.time_ns()}"
        edit(root, file, name)
        wall, processor, out = process_ms([*search, name])
        assert any(name in hit["content"] for hit in json.loads(out)["hits"])
        walls.append(wall)
        processors.append(processor)
        wall, processor, _ = process_ms([*search, name])
        ready.append(wall)
        ready_processors.append(processor)
    return {
        "fresh_ms": spread(walls),
        "fresh_cpu_ms": spread(processors),
        "ready_ms": spread(ready),
        "ready_cpu_ms": spread(ready_processors),
    }


def warm(root: Path, files: Sequence[str], how: str) -> dict[str, dict[str, float]]:
    """Edit in front of a process that stays open; return the parts' spreads."""
    command = [sys.executable, "-c", WARM, str(root), json.dumps(files), how]
    _, _, out = process_ms(command, env=os.environ | {"OMP_NUM_THREADS": "1"})  # as the program
    runs = json.loads(out)
    parts = dict.fromkeys(part for run in runs for part in run)
    return {part: spread([run.get(part, 0.0) for run in runs]) for part in parts}


def peer(python: str, model: str, root: Path, files: Sequence[str]) -> dict[str, float]:
    """Let the peer search after an edit, as a process, with its own cache of the index."""
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {
            "SEMBLE_MODEL_NAME": model,
            "SEMBLE_CACHE_LOCATION": cache,
            "HF_HUB_OFFLINE": "1",
            "SEMBLE_INDEX_WORKERS": str(os.cpu_count()),
        }
        program = str(Path(python).with_name("semble"))
        walls = []
        for number, file in enumerate(["", *files]):
            name = f"zz_peer_{number}"
            if file:
                edit(root, file, name)
            command = [program, "search", name, str(root), "--top-k", "10"]
            walls.append(process_ms(command, env=env)[0])
        return spread(walls[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="make or use the repository here")
    parser.add_argument("--peer-python")
    parser.add_argument("--peer-model")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
    about = machine()
    root = options.keep or Path(tempfile.mkdtemp())
    try:
        root.mkdir(parents=True, exist_ok=True)
        lines = make_repository(root, options.sources, options.files)
        index = [sys.executable, "-m", "codeintel_rev", "index", str(root), "--json"]
        _, _, out = process_ms(index)
        found = sorted(path.relative_to(root).as_posix() for path in root.glob("part*/*.py"))
        files = found[:: max(1, len(found) // options.runs)][: options.runs]
        report = {
            "machine": about,
            "files": options.files,
            "lines": lines,
            "index": json.loads(out),
            **fresh(root, files),
            "warm_ms": warm(root, files, "refresh"),
            "watched_ms": warm(root, files, "watch"),
        }
        if options.peer_python:
            report["peer_fresh_ms"] = peer(options.peer_python, options.peer_model, root, files[:2])
        print(json.dumps(report | {"load_after": os.getloadavg()[0]}, indent=1))
    finally:
        if options.keep is None:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
