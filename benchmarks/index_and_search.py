"""Times a cold index and a search as whole processes, and a search in a warm one.

    python benchmarks/index_and_search.py REPO [--runs 5] [--peer-python PY --peer-model DIR]

Prints one JSON document. With ``--peer-python``, an interpreter that has semble 0.7.0, the peer
runs in turn with us on the same tree, so that both meet the same noise; ``--peer-model`` is a folder
that ``peers/model_folder.py`` wrote. Searches in a process that stays are told in milliseconds of the
clock and of the processor: on a machine with other work only the latter say what a search costs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machine import machine

VERBS = (
    "parse",
    "open",
    "validate",
    "convert",
    "retry",
    "close",
    "cache",
    "find",
    "print",
    "merge",
)
THINGS = (
    "the configuration file",
    "a failed request",
    "user input before it is stored",
    "a connection with a timeout",
    "the result of an expression",
    "errors reported to the user",
    "a matrix of numbers",
    "temporary files",
    "command line arguments",
    "a list of names",
)
QUERIES = tuple(f"{verb} {thing}" for thing in THINGS for verb in VERBS)
"""All different, so that nothing that remembers queries or what they found helps."""

WARM_UP = 40
"""Queries before the first that counts: ours packs its vectors for a process that stays."""

WARM = """
import json, sys, time
from pathlib import Path
from codeintel_rev.app.local import open_index
queries = json.loads(sys.argv[2])
with open_index(data_dir=Path(sys.argv[1]), refresh=False) as index:
    for query in queries[: int(sys.argv[3])]:
        index.search(f"how to {query}")
    time.sleep(3)
    wall, cpu = [], []
    for query in queries:
        started, used = time.perf_counter(), time.process_time()
        index.search(query)
        wall.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    facts = dict(
        line.split()[:2] for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    )
    private = int(facts["Private_Clean:"]) + int(facts["Private_Dirty:"])
    print(json.dumps({"wall_ms": wall, "cpu_ms": cpu, "private_mib": private / 1024,
                      "rss_mib": int(facts["Rss:"]) / 1024, "chunks": index.status().chunks}))
"""

PEER_WARM = """
import json, sys, time
from semble import SembleIndex
started = time.perf_counter()
index = SembleIndex.from_path(sys.argv[1])
built = time.perf_counter() - started
queries = json.loads(sys.argv[2])
for query in queries[: int(sys.argv[3])]:
    index.search(f"how to {query}", top_k=10)
wall, cpu = [], []
for query in queries:
    started, used = time.perf_counter(), time.process_time()
    index.search(query, top_k=10)
    wall.append((time.perf_counter() - started) * 1000)
    cpu.append((time.process_time() - used) * 1000)
print(json.dumps({"wall_ms": wall, "cpu_ms": cpu, "index_seconds": built}))
"""


def run(command: Sequence[str], env: dict[str, str] | None = None) -> tuple[float, str]:
    """Run a process and return (wall seconds, standard output)."""
    # installed programs have their bytecode cached; a setting of this shell must not undo that
    env = {k: v for k, v in (env or os.environ).items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return time.perf_counter() - started, done.stdout


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, least and greatest."""
    return {
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99."""
    cuts = statistics.quantiles(times, n=100)
    return {name: round(cuts[at - 1], 3) for name, at in (("p50", 50), ("p95", 95), ("p99", 99))}


def ours(repo: Path, data: Path) -> dict[str, float]:
    """Index ``repo`` cold into ``data`` and search once as a process."""
    shutil.rmtree(data, ignore_errors=True)
    program = str(Path(sys.executable).with_name("codeintel"))
    where = ["--data-dir", str(data), "--json"]
    seconds, out = run([program, "index", str(repo), *where])
    search, _ = run([program, "search", QUERIES[0], *where])
    lines = json.loads(out)["lines"]
    return {"seconds": seconds, "lines": lines, "lines_per_s": lines / seconds, "search_s": search}


def ours_warm(data: Path) -> dict[str, Any]:
    """Search in a process that stays."""
    arguments = [str(data), json.dumps(QUERIES), str(WARM_UP)]
    _, out = run([sys.executable, "-c", WARM, *arguments])
    found: dict[str, Any] = json.loads(out)
    return found


def told(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the latencies of searches in processes that stay."""
    return {
        f"warm_query_{clock}": percentiles([ms for found in runs for ms in found[clock]])
        for clock in ("wall_ms", "cpu_ms")
    }


def peer(python: str, model: str, repo: Path, cache: Path) -> dict[str, Any]:
    """Do the same with the peer; its index lives in memory unless its command line keeps it."""
    shutil.rmtree(cache, ignore_errors=True)
    env = os.environ | {
        "SEMBLE_MODEL_NAME": model,
        "SEMBLE_CACHE_LOCATION": str(cache),
        "HF_HUB_OFFLINE": "1",
        "SEMBLE_INDEX_WORKERS": str(os.cpu_count()),
    }
    program = str(Path(python).with_name("semble"))
    search = [program, "search", QUERIES[0], str(repo), "--top-k", "10", "--max-snippet-lines", "0"]
    cold, _ = run(search, env)
    again, _ = run(search, env)
    _, out = run([python, "-c", PEER_WARM, str(repo), json.dumps(QUERIES), str(WARM_UP)], env)
    return {"seconds": cold, "search_s": again, "warm": json.loads(out)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repo", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-python")
    parser.add_argument("--peer-model")
    options = parser.parse_args()
    about = machine()
    mine, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        for _ in range(options.runs):
            mine.append(ours(options.repo, data))
            if options.peer_python:
                cache = Path(scratch) / "peer"
                theirs.append(peer(options.peer_python, options.peer_model, options.repo, cache))
        warm = [ours_warm(data) for _ in range(options.runs)]
        size = sum(f.stat().st_size for f in data.rglob("*") if f.is_file())
    result = {
        "machine": about,
        "repo": options.repo.name,
        "runs": options.runs,
        "lines": mine[0]["lines"],
        "chunks": warm[0]["chunks"],
        "index_seconds": spread([m["seconds"] for m in mine]),
        "index_lines_per_s": spread([m["lines_per_s"] for m in mine]),
        "search_process_s": spread([m["search_s"] for m in mine]),
        **told(warm),
        "warm_private_mib": round(warm[0]["private_mib"], 1),
        "warm_rss_mib": round(warm[0]["rss_mib"], 1),
        "index_bytes": size,
        "largest_child_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    if theirs:
        result["semble"] = {
            "index_and_search_process_s": spread([t["seconds"] for t in theirs]),
            "search_process_s": spread([t["search_s"] for t in theirs]),
            "index_in_memory_s": spread([t["warm"]["index_seconds"] for t in theirs]),
            **told([t["warm"] for t in theirs]),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
