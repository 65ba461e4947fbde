"""What it costs in quality and time to search many repositories at once.

    python benchmarks/many_repositories.py SETS... --repos DIR --data-dir DIR [--every 1]

Indexes one tree of each repository that the sets ask about into one data directory, and puts each
query to its own repository alone, and to all of them together. Prints one JSON document: for each
set the mean NDCG@10 of both, how much is lost (paired bootstrap), how often a file of the right
repository stands first, and the latency of the search of all.

A query that does not say which repository it is about can only lose: several may answer it. So each
set is told twice, as it is and with the name of the repository before each query.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from machine import machine

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.requests import plain_text
from codeintel_rev.config.settings import load_settings
from codeintel_rev.evaluation.datasets import Query, read_sets
from codeintel_rev.evaluation.metrics import FILE_METRICS, score
from codeintel_rev.evaluation.plan import Task, make_plan
from codeintel_rev.evaluation.sources import Source
from codeintel_rev.evaluation.summary import bootstrap, latency_percentiles
from codeintel_rev.types import Scope, SearchHit

LIMIT = 50
ELSEWHERE = "<another repository>/"


class Outcome(NamedTuple):
    """One query, asked both ways."""

    set: str
    alone: float
    together: float
    is_right_first: bool
    seconds: float


def one_tree_each(tasks: Iterable[Task]) -> dict[str, Task]:
    """Return the task with most queries of each repository, by the repository's name."""
    chosen: dict[str, Task] = {}
    for task in sorted(tasks, key=lambda task: -len(task.queries)):
        tree = task.queries[0][1].tree
        if tree is not None:
            chosen.setdefault(tree.repo.rpartition("/")[2], task)
    return dict(sorted(chosen.items()))


def outcome(
    index: LocalIndex, name: str, source: Source, asked: tuple[str, Query], *, is_named: bool
) -> Outcome:
    """Ask one query of its repository alone and of all together."""
    set_name, query = asked
    text = plain_text(query.text)
    if is_named:
        set_name, text = f"{set_name}, named", f"{name} {text}"
    alone = index.search(text, limit=LIMIT, scope=Scope(repos=[name])).hits
    started = time.perf_counter()
    together = index.search(text, limit=LIMIT).hits
    seconds = time.perf_counter() - started
    is_right_first = bool(together) and together[0].repo == name
    values = (_ndcg(query, source, name, hits) for hits in (alone, together))
    return Outcome(set_name, *values, is_right_first, seconds)


def _ndcg(query: Query, source: Source, name: str, hits: Iterable[SearchHit]) -> float:
    own = (hit if hit.repo == name else replace(hit, uri=ELSEWHERE + hit.uri) for hit in hits)
    return score(query.judgements, [source.result(hit) for hit in own])[FILE_METRICS[0]]


def row(outcomes: list[Outcome]) -> dict[str, object]:
    """Return what is told of one set."""
    loss = bootstrap([each.alone - each.together for each in outcomes])
    return {
        "queries": len(outcomes),
        "alone": round(sum(each.alone for each in outcomes) / len(outcomes), 4),
        "together": round(sum(each.together for each in outcomes) / len(outcomes), 4),
        "loss": [round(value, 4) for value in loss[:3]],
        "right_repository_first": round(
            sum(each.is_right_first for each in outcomes) / len(outcomes), 4
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+", help=".jsonl query sets")
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take one query of so many")
    options = parser.parse_args()
    sets = [query_set for path in options.sets for query_set in read_sets(path)]
    tasks = one_tree_each(make_plan(sets, trees=options.repos).tasks)
    for name, task in tasks.items():
        index_repositories(
            [task.source.root], data_dir=options.data_dir, name=name, settings=load_settings()
        )
    found: dict[str, list[Outcome]] = {}
    with open_index(data_dir=options.data_dir, refresh=False) as index:
        repositories, chunks = len(index.repositories), index.status().chunks
        for name, task in tasks.items():
            for asked in task.queries[:: options.every]:
                for is_named in (False, True):
                    done = outcome(index, name, task.source, asked, is_named=is_named)
                    found.setdefault(done.set, []).append(done)
    seconds = [each.seconds for outcomes in found.values() for each in outcomes]
    document = {
        "machine": machine(),
        "repositories": repositories,
        "chunks": chunks,
        "sets": {name: row(outcomes) for name, outcomes in found.items()},
        "latency_ms": latency_percentiles(seconds),
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
