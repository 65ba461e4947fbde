"""From the scores of queries to the scores of a set, pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from codeintel_rev.evaluation.datasets import Query
from codeintel_rev.evaluation.metrics import FILE_METRICS, SPAN_METRICS, Scores, score
from codeintel_rev.evaluation.runs import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = "all"
"""The group of every query."""

Summary = dict[str, Scores]
"""Group (``all``, ``FIELD=VALUE``) to mean of each metric, ``n`` and ``n_with_spans``."""


class Interval(NamedTuple):
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float
    n: int


def summarize(queries: Sequence[Query], run: Run, by: str | None = None) -> Summary:
    """Return the mean scores of all queries and, with ``by``, of each value of that field.

    A query without results counts as 0. Span metrics are means over the queries that name lines
    and absent when none does.
    """
    groups: dict[str, list[Scores]] = {}
    for query in queries:
        scores = score(query.judgements, run.get(query.id, ()))
        groups.setdefault(ALL, []).append(scores)
        if by:
            groups.setdefault(f"{by}={query.fields.get(by)}", []).append(scores)
    return {group: _means(rows) for group, rows in groups.items()}


def compare(
    queries: Sequence[Query], before: Run, after: Run, metric: str = FILE_METRICS[0]
) -> Interval:
    """Return how much ``after`` gains over ``before`` (paired bootstrap over the queries).

    An interval that holds 0 means that the difference may be noise. Queries for which the metric
    is not defined are left out.
    """
    differences = []
    for query in queries:
        old = score(query.judgements, before.get(query.id, ()))
        new = score(query.judgements, after.get(query.id, ()))
        if metric in old:
            differences.append(new[metric] - old[metric])
    return bootstrap(differences)


def bootstrap(values: Sequence[float], *, rounds: int = 10_000, seed: int = 1) -> Interval:
    """Return the mean of ``values`` with its 95% percentile interval (Efron, 1979).

    The same values give the same interval. Without values everything is 0.
    """
    if not values:
        return Interval(0.0, 0.0, 0.0, 0)
    sample = np.asarray(values, dtype=np.float64)
    random = np.random.default_rng(seed)
    means = [random.choice(sample, sample.size).mean() for _ in range(rounds)]
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(sample.mean()), float(low), float(high), sample.size)


def latency_percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds by nearest rank; zeros without a measurement."""
    ordered = sorted(seconds) or [0.0]
    return {
        f"p{percent}": round(1000 * ordered[math.ceil(percent / 100 * len(ordered)) - 1], 3)
        for percent in (50, 95, 99)
    }


def _means(rows: Sequence[Scores]) -> Scores:
    means: Scores = {}
    for metric in (*FILE_METRICS, *SPAN_METRICS):
        values = [row[metric] for row in rows if metric in row]
        if values:
            means[metric] = round(sum(values) / len(values), 4)
    spans = sum(SPAN_METRICS[0] in row for row in rows)
    return means | {"n": len(rows), "n_with_spans": spans}
