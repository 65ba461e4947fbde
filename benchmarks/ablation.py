"""What each part of the ranking is worth, on judged queries.

    python benchmarks/ablation.py SETS --repos DIR [--corpus FILE] --data-dir DIR

Prints one JSON document: for each set the mean NDCG@10 (and span recall where lines are judged) of
each channel alone, of both, with each signal added in turn, and of the whole without each signal,
with 95% intervals, and what each signal changes against the row before it (paired bootstrap).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from machine import machine
from ranking_cases import Case, arguments, cases

from codeintel_rev.evaluation.metrics import FILE_METRICS, SPAN_METRICS, score
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.summary import Interval, bootstrap
from codeintel_rev.retrieval.ranking import Weights

ROUNDS = 2_000
"""Bootstrap rounds: 95% bounds are stable to the third decimal."""

NO_SIGNALS = Weights(bonuses={}, penalties={}, file_share=0.0)

Variant = Callable[[Case], Sequence[Result]]


def by_channel(name: str) -> Variant:
    """Return the variant that orders by one channel's score alone."""

    def run(case: Case) -> Sequence[Result]:
        found = case.candidates.where(getattr(case.candidates, name) > 0.0)
        order = np.lexsort((found.traits.table["id"], -getattr(found, name)))
        return case.results_of(found.rows[order].tolist())

    return run


def added() -> dict[str, Weights]:
    """Return the weights with each signal added to those before it."""
    whole = Weights()
    rows = {"fused": NO_SIGNALS}
    now = NO_SIGNALS
    for name in (*whole.bonuses, *whole.penalties):
        now = now._replace(
            bonuses={**now.bonuses, **_only(whole.bonuses, name)},
            penalties={**now.penalties, **_only(whole.penalties, name)},
        )
        rows[f"+ {name}"] = now
    return rows | {"+ file": whole}


def removed() -> dict[str, Weights]:
    """Return the weights without each of the signals."""
    whole = Weights()
    rows = {
        f"- {name}": whole._replace(
            bonuses={key: value for key, value in whole.bonuses.items() if key != name},
            penalties={key: value for key, value in whole.penalties.items() if key != name},
        )
        for name in (*whole.bonuses, *whole.penalties)
    }
    return rows | {"- file": whole._replace(file_share=0.0)}


def _only(weights: Mapping[str, float], name: str) -> dict[str, float]:
    return {key: value for key, value in weights.items() if key == name}


def table(found: Sequence[Case]) -> dict[str, dict[str, object]]:
    """Return a row for each variant."""
    variants: dict[str, Variant] = {"dense": by_channel("dense"), "bm25": by_channel("words")}
    for name, weights in (added() | removed()).items():
        variants[name] = lambda case, weights=weights: case.run(weights)  # type: ignore[misc]
    rows: dict[str, dict[str, object]] = {}
    before: list[dict[str, float]] = []
    whole: list[dict[str, float]] = []
    for name, variant in variants.items():
        scores = [score(case.query.judgements, variant(case)) for case in found]
        reference = whole if name.startswith("-") else before
        rows[name] = {metric: _row(metric, scores, reference) for metric in _metrics(scores)}
        if not name.startswith("-"):
            before = whole = scores
    return rows


def _metrics(scores: Sequence[dict[str, float]]) -> list[str]:
    return [m for m in (FILE_METRICS[0], SPAN_METRICS[0]) if any(m in row for row in scores)]


def _row(
    metric: str, scores: Sequence[dict[str, float]], reference: Sequence[dict[str, float]]
) -> dict[str, object]:
    row: dict[str, object] = {"score": _rounded([row[metric] for row in scores if metric in row])}
    if reference:
        pairs = zip(scores, reference, strict=True)
        row["change"] = _rounded([new[metric] - old[metric] for new, old in pairs if metric in new])
    return row


def _rounded(values: Sequence[float]) -> list[float]:
    found: Interval = bootstrap(values, rounds=ROUNDS)
    return [round(value, 4) for value in found[:3]]


def main() -> None:
    options = arguments(__doc__).parse_args()
    by_set: dict[str, list[Case]] = {}
    for case in cases(options):
        by_set.setdefault(case.set, []).append(case)
    tables = {name: {"queries": len(found), "rows": table(found)} for name, found in by_set.items()}
    print(json.dumps({"machine": machine(), "sets": tables}, indent=1))


if __name__ == "__main__":
    main()
