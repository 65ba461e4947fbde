"""What every searcher of the comparison is asked, and what it answers: plain JSON, no imports of ours.

A job is ``{"name", "root", "queries": [{"id", "text"}]}``: a folder and what is asked of it. An
outcome is ``{"name", "index_s", "index_bytes", "latency_ms": [...], "results": {id: [[path, start,
end], ...]}}``, best first, paths relative to the root. Peers run in an environment of their own, so
this module uses the standard library only.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMIT = 50
"""Chunks asked for each query."""

Place = tuple[str, int, int]
"""Path, first line, last line."""

Search = Callable[[str], list[Place]]
OpenRoot = Callable[[str, Path], tuple[Search, Callable[[], int]]]
"""Indexes a root in a scratch folder; returns its search, and what tells the index's bytes."""


def run(open_root: OpenRoot) -> None:
    """Answer the jobs of ``sys.argv[1]`` in the scratch folder ``sys.argv[2]``; print the outcomes."""
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    outcomes = [_outcome(job, open_root, Path(sys.argv[2])) for job in jobs]
    json.dump({"outcomes": outcomes, "peak_mib": peak_mib()}, sys.stdout)


def _outcome(job: dict[str, Any], open_root: OpenRoot, scratch: Path) -> dict[str, Any]:
    started = time.perf_counter()
    search, size = open_root(job["root"], scratch / job["name"])
    index_s = time.perf_counter() - started
    search(job["queries"][0]["text"])
    latency, results = [], {}
    for query in job["queries"]:
        started = time.perf_counter()
        results[query["id"]] = search(query["text"])
        latency.append((time.perf_counter() - started) * 1000)
    return {
        "name": job["name"],
        "index_s": index_s,
        "index_bytes": size(),
        "latency_ms": latency,
        "results": results,
    }


def peak_mib() -> float:
    """Return the most memory that this process held; its parent's does not count."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return round(kib / 1024, 1)


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
