"""Says how index time, memory and search time grow with the number of chunks.

    python benchmarks/scale.py FOLDER... --queries SET.jsonl ... --data DIR [--readers 8]

Each FOLDER is a tree of source files, small ones first. For each: indexing and compacting it as
processes (seconds, processor seconds, and the peak of what all their processes hold for
themselves); then the queries, in this process: dense search alone and with its recall against
comparing all vectors, under scopes too, and whole searches; and the memory of ``--readers``
processes that search the same index. Then the slopes of growth, log to log. Prints one JSON
document.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np
from machine import machine
from numpy.typing import NDArray
from vector_corpus import read_queries
from wide_tree import private_mib

from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.nearest_index import open_nearest
from codeintel_rev.io.registry import Registry
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.io.vector_store import VectorReader
from codeintel_rev.retrieval.dense_searcher import DenseSearcher
from codeintel_rev.types import Mode

K = 10
PROGRAM = [sys.executable, "-m", "codeintel_rev"]
SAMPLE_S = 0.1
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
READER = """
import sys
from pathlib import Path
from codeintel_rev.app.local import open_index
with open_index(data_dir=Path(sys.argv[1]), refresh=False) as index:
    for query in sys.argv[2:]:
        index.search(query)
    print("ready", flush=True)
    sys.stdin.read()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--queries", nargs="+", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--readers", type=int, default=8)
    options = parser.parse_args()
    about, asked = machine(), list(read_queries(options.queries))[:200]
    sizes = []
    for folder in options.folders:
        sizes.append(measure(folder, options.data / folder.name, asked, options.readers))
        print(json.dumps(sizes[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"machine": about, "sizes": sizes, "slopes": slopes(sizes)}, indent=1))


def measure(root: Path, data: Path, asked: list[str], readers: int) -> dict[str, object]:
    told: dict[str, object] = {"tree": root.name}
    if not data.exists():
        told["index"] = run("index", str(root), "--data-dir", str(data))
        told["compact"] = run("compact", "--data-dir", str(data))
    told["bytes"] = {p.name: size(p) for p in sorted(next((data / "repos").iterdir()).iterdir())}
    told |= dense(data, asked)
    with open_index(data_dir=data, refresh=False) as index:
        told["search"] = searching(index, asked)
    told["readers"] = reading(data, asked, readers)
    return told


def run(*words: str) -> dict[str, float]:
    """Run one command; returns what it took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen([*PROGRAM, *words, "--json"], stdout=subprocess.DEVNULL) as process:
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, sum(map(private_mib, family(process.pid))))
            time.sleep(SAMPLE_S)
    if process.returncode:
        raise SystemExit(f"{words} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "peak_private_mib": round(peak),
    }


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return [pid]
    return [pid, *map(int, told.split())]


def dense(data: Path, asked: list[str]) -> dict[str, object]:
    """Time and recall of dense search, whole and under scopes."""
    embedder = StaticEmbedder()
    queries = np.array([embedder.embed_query(text) for text in asked])
    queries = queries[queries.any(axis=1)]
    registry = Registry(data)
    (repository,) = registry.repositories()
    folder = RepositoryFolder(registry.folder(repository))
    registry.close()
    journal = Journal(folder.journal)
    with journal.view() as view:
        rows = view.live_rows()
        reader = VectorReader(folder.vectors, view.segments(), embedder.dim, rows)
        live, generation = view.live(view.snapshots()[0].id), view.generation
    journal.close()
    nearest = open_nearest(folder.catalog(generation))
    served = DenseSearcher(reader.blocks, reader.rows, nearest=nearest)
    exact = DenseSearcher(reader.blocks, reader.rows)
    told: dict[str, object] = {"chunks": int(live.sum()), "indexed": nearest is not None}
    generator = np.random.default_rng(0)
    for share in (1.0, 0.1, 0.01, 0.001):
        start = int(generator.integers(max(1, int(len(live) * (1 - share)))))
        scopes = {"at random": generator.random(len(live)) < share}
        scopes["in a row"] = np.zeros(len(live), dtype=np.bool_)
        scopes["in a row"][start : start + int(len(live) * share)] = True
        for name, scope in list(scopes.items())[: 1 if share == 1.0 else 2]:
            if (live & scope).any():
                told[f"dense, {share:.1%} {name}"] = quality(served, exact, queries, live & scope)
    return told


def quality(
    served: DenseSearcher,
    exact: DenseSearcher,
    queries: NDArray[np.float32],
    mask: NDArray[np.bool_],
) -> dict[str, float]:
    for query in queries[:50]:  # the plain scans of a fresh view are over
        served.search(query, 50, mask)
        exact.search(query, 50, mask)
    shares, times = {K: 0.0, 50: 0.0}, []
    for query in queries:
        started = time.thread_time()
        found, _ = served.search(query, 50, mask)
        times.append(time.thread_time() - started)
        true, _ = exact.search(query, 50, mask)
        for k in shares:
            shares[k] += len(np.intersect1d(found[:k], true[:k])) / len(true[:k])
    return {f"recall_at_{k}": round(share / len(queries), 4) for k, share in shares.items()} | (
        percentiles(times)
    )


def searching(index: LocalIndex, asked: list[str]) -> dict[str, object]:
    """Time of whole searches, and of each kind."""
    told: dict[str, object] = {}
    for mode in get_args(Mode)[:3]:
        for query in asked[:40]:
            index.search(query, mode=mode)
        told[mode] = percentiles([timed(index, query, mode) for query in asked])
    return told


def timed(index: LocalIndex, query: str, mode: Mode) -> float:
    started = time.thread_time()
    index.search(query, mode=mode)
    return time.thread_time() - started


def percentiles(times: list[float]) -> dict[str, float]:
    return {f"p{p}_cpu_ms": round(float(np.percentile(times, p)) * 1e3, 3) for p in (50, 95)}


def reading(data: Path, asked: list[str], readers: int) -> dict[str, float]:
    """Memory of processes that have searched the same index, in MiB each."""
    command = [sys.executable, "-c", READER, str(data), *asked[:60]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(readers)]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise SystemExit("a reader failed")
        found = [memory(process.pid) for process in processes]
    finally:
        for process in processes:
            process.communicate("")
    return {name: round(float(np.mean([one[name] for one in found])), 1) for name in found[0]}


def memory(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    private = kib["Private_Clean"] + kib["Private_Dirty"]
    return {
        name: value / 1024
        for name, value in (("pss", kib["Pss"]), ("private", private), ("rss", kib["Rss"]))
    }


def size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def slopes(sizes: list[dict[str, object]]) -> dict[str, float]:
    """Return the growth from the smallest to the largest tree: 1 is linear."""
    if len(sizes) < 2:
        return {}

    def at(one: dict[str, object], *keys: str) -> float:
        value: object = one
        for key in keys:
            assert isinstance(value, dict)
            value = value[key]
        return float(str(value))

    names = {
        "index time": ("index", "cpu_s"),
        "compaction time": ("compact", "cpu_s"),
        "dense p95": ("dense, 100.0% at random", "p95_cpu_ms"),
        "search p95": ("search", "hybrid", "p95_cpu_ms"),
    }
    small, large = sizes[0], sizes[-1]
    span = math.log(at(large, "chunks") / at(small, "chunks"))
    return {
        name: round(math.log(at(large, *keys) / at(small, *keys)) / span, 3)
        for name, keys in names.items()
        if keys[0] not in ("index", "compact") or (keys[0] in small and keys[0] in large)
    }


if __name__ == "__main__":
    main()
