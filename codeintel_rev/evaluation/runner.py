"""Puts queries to searchers and scores what they return."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codeintel_rev.evaluation.plan import Plan
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.summary import Summary, latency_percentiles, summarize
from codeintel_rev.ports import Clock, Searcher

OpenTree = Callable[[Path, str], AbstractContextManager[Searcher]]
"""Brings the index of a folder up to date under a name, and opens it for searching.

The paths of its hits are relative to that folder.
"""

Progress = Callable[[int, int, str], None]
"""Told (queries done, queries in all, name of the source at hand)."""


@dataclass(slots=True)
class Report:
    """What a run measured."""

    runs: dict[str, dict[str, list[Result]]] = field(default_factory=dict)
    """Set to query id to results, best first."""
    summaries: dict[str, Summary] = field(default_factory=dict)
    index_seconds: float = 0.0
    """Time to bring all indexes up to date and open them."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of each search, the first one on an index included."""

    def document(self) -> dict[str, Any]:
        """Return the scores and times as JSON shows them."""
        return {
            **self.summaries,
            "index_seconds": round(self.index_seconds, 3),
            "latency_ms": latency_percentiles(self.latencies),
        }


def run(
    plan: Plan,
    open_tree: OpenTree,
    *,
    limit: int = 50,
    by: str | None = None,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter,
) -> Report:
    """Index every source, ask every query for ``limit`` chunks, and score the results.

    ``by`` names a field of the rows to group scores on. An error of a searcher ends the run:
    scores over some of the queries would compare with nothing.
    """
    report = Report(runs={query_set.name: {} for query_set in plan.sets})
    total = sum(len(task.queries) for task in plan.tasks)
    for task in plan.tasks:
        if progress:
            progress(len(report.latencies), total, task.source.name)
        started = clock()
        with open_tree(task.source.root, task.source.name) as searcher:
            report.index_seconds += clock() - started
            for name, query in task.queries:
                started = clock()
                hits = searcher.search(query.text, limit=limit).hits
                report.latencies.append(clock() - started)
                report.runs[name][query.id] = [task.source.result(hit) for hit in hits]
                if progress:
                    progress(len(report.latencies), total, task.source.name)
    for query_set in plan.sets:
        results = report.runs[query_set.name]
        report.summaries[query_set.name] = summarize(query_set.queries, results, by)
    return report
