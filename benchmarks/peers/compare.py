"""This program beside semble, bm25s and ripgrep: quality, index, latency and memory in one run.

    python benchmarks/peers/compare.py SETS... --repos DIR --peer-python PY [--trees N]

``PY`` belongs to an environment of its own with ``semble==0.7.0 bm25s==0.3.16 ripgrep==14.1.0``. The
peer with embeddings gets our vectors as its model. Each tree is indexed from nothing by every
searcher, one searcher after the other; ``--trees`` takes only so many of the smallest trees.

Prints one JSON document: for each searcher and set NDCG@10 with its 95% interval and its difference
to ours (paired bootstrap); and over all trees the seconds to index, the bytes of the index, the
latency of queries in a process that stays, and the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs import folder_bytes
from model_folder import write_model

from codeintel_rev.evaluation.datasets import read_sets
from codeintel_rev.evaluation.metrics import FILE_METRICS, score
from codeintel_rev.evaluation.plan import Task, make_plan
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.summary import bootstrap, latency_percentiles

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))
from machine import machine  # noqa: E402  it lies one folder up

OURS = "codeintel"
SCRIPTS = {
    OURS: "ours.py",
    "semble 0.7.0": "semble_peer.py",
    "bm25s": "bm25s_peer.py",
    "ripgrep": "ripgrep_peer.py",
}

Scores = dict[str, dict[str, float]]
"""Set to query id to NDCG@10."""


def smallest(tasks: Sequence[Task], count: int | None) -> list[Task]:
    """Return the ``count`` tasks with the smallest trees, all without one."""
    return sorted(tasks, key=lambda task: folder_bytes(task.source.root))[:count]


def asked(task: Task) -> dict[str, Any]:
    """Return a task as a job."""
    queries = [{"id": f"{name} {query.id}", "text": query.text} for name, query in task.queries]
    return {"name": task.source.name, "root": str(task.source.root), "queries": queries}


def answers(python: str, script: str, jobs: Path, scratch: Path, model: Path) -> dict[str, Any]:
    """Run one searcher on all jobs."""
    env = os.environ | {
        "PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
        "SEMBLE_MODEL_NAME": str(model),
        "SEMBLE_CACHE_LOCATION": str(scratch / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    command = [python, str(HERE / script), str(jobs), str(scratch)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def scores(tasks: Sequence[Task], found: Mapping[str, Any]) -> Scores:
    """Return the NDCG@10 of each query."""
    by_tree = {outcome["name"]: outcome["results"] for outcome in found["outcomes"]}
    by_set: Scores = {}
    for task in tasks:
        for name, query in task.queries:
            places = by_tree[task.source.name][f"{name} {query.id}"]
            results = [
                Result(task.source.prefix + path, None, start, end, 0.0)
                for path, start, end in places
            ]
            value = score(query.judgements, results)[FILE_METRICS[0]]
            by_set.setdefault(name, {})[query.id] = value
    return by_set


def quality(own: Scores, reference: Scores) -> dict[str, Any]:
    """Return the mean of each set with its interval, and the difference to ours."""
    rows: dict[str, Any] = {}
    for name, values in own.items():
        change = [value - reference[name][query] for query, value in values.items()]
        rows[name] = {
            "queries": len(values),
            "ndcg@10": [round(value, 4) for value in bootstrap(list(values.values()))[:3]],
            "to_ours": [round(value, 4) for value in bootstrap(change)[:3]],
        }
    return rows


def costs(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a searcher took over all trees."""
    outcomes = found["outcomes"]
    seconds = [ms / 1000 for outcome in outcomes for ms in outcome["latency_ms"]]
    return {
        "index_s": round(sum(outcome["index_s"] for outcome in outcomes), 2),
        "index_mib": round(sum(outcome["index_bytes"] for outcome in outcomes) / 2**20, 1),
        "query_ms": latency_percentiles(seconds),
        "peak_mib": found["peak_mib"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+", help=".jsonl query sets that judge files")
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--trees", type=int)
    options = parser.parse_args()
    about = machine()
    sets = [query_set for path in options.sets for query_set in read_sets(path)]
    tasks = smallest(make_plan(sets, trees=options.repos).tasks, options.trees)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder / "model")
        jobs = folder / "jobs.json"
        jobs.write_text(json.dumps([asked(task) for task in tasks]), encoding="utf-8")
        for searcher, script in SCRIPTS.items():
            python = sys.executable if searcher == OURS else options.peer_python
            scratch = folder / searcher
            scratch.mkdir()
            found[searcher] = answers(python, script, jobs, scratch, folder / "model")
    by_searcher = {name: scores(tasks, outcome) for name, outcome in found.items()}
    document = {
        "machine": about,
        "trees": len(tasks),
        "bytes_of_trees": sum(folder_bytes(task.source.root) for task in tasks),
        "searchers": {
            name: {"quality": quality(by_searcher[name], by_searcher[OURS]), **costs(found[name])}
            for name in SCRIPTS
        },
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
