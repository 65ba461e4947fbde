"""Whether the same question always has the same answer.

    python benchmarks/determinism.py REPOSITORY [--queries 1000] [--workers 2]

Builds two indexes of one repository. Asks a server with several workers each query three times, each
time over a new connection so that any worker may answer; asks a server of the same index that was
started anew; and asks one of the second index. ``differing`` counts the queries whose hits were not
the same ids in the same order with the same scores. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
from pathlib import Path

from machine import machine
from server import LIMIT, post, queries_of, serving

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.config.settings import load_settings

TURNS = 3

Hits = list[tuple[str, float]]


def asked(port: int, query: str) -> Hits:
    """Return what a query finds, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = json.loads(post(connection, "/v1/search", {"query": query, "limit": LIMIT}))
    connection.close()
    assert not found["limits"], found["limits"]
    return [(hit["id"], hit["score"]) for hit in found["hits"]]


def all_asked(data_dir: Path, workers: int, queries: list[str]) -> list[Hits]:
    with serving(data_dir, workers) as (_, port):
        return [asked(port, query) for query in queries]


def differing(one: list[Hits], other: list[Hits]) -> int:
    return sum(left != right for left, right in zip(one, other, strict=True))


def measured(root: Path, folder: Path, count: int, workers: int) -> dict[str, object]:
    first, second = folder / "first", folder / "second"
    for data_dir in (first, second):
        index_repositories([root], data_dir=data_dir, settings=load_settings({}))
    with LocalIndex(first, load_settings({})) as index:
        queries = queries_of(index, count)
        with index.opened[0].view() as view:
            chunks = int(view.live.sum())
    with serving(first, workers) as (_, port):
        turns = [[asked(port, query) for query in queries] for _ in range(TURNS)]
    usual = turns[0]
    return {
        "repository": root.name,
        "chunks": chunks,
        "queries": len(queries),
        "with_hits": sum(bool(hits) for hits in usual),
        "workers": workers,
        "turns": TURNS,
        "differing": {
            "between_workers": max(differing(usual, turn) for turn in turns[1:]),
            "after_a_restart": differing(usual, all_asked(first, workers, queries)),
            "second_build": differing(usual, all_asked(second, workers, queries)),
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            options.repository.resolve(), Path(folder), options.queries, options.workers
        )
    print(json.dumps({"machine": about, **found}, indent=1))
    return int(any(found["differing"].values()))  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
