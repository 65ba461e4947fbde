"""Scores of an evaluation as a table (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codeintel_rev.evaluation.metrics import FILE_METRICS, SPAN_METRICS

COLUMNS = (*FILE_METRICS, *SPAN_METRICS)


def score_table(document: dict[str, Any]) -> str:
    """Return one line a set and group, then the times; ``-`` stands for what has no value."""
    rows = [("set", "queries", *COLUMNS)]
    for name, summary in document.items():
        if name in ("index_seconds", "latency_ms"):
            continue
        for group, scores in summary.items():
            title = name if group == "all" else f"  {group}"
            values = (f"{scores[c]:.4f}" if c in scores else "-" for c in COLUMNS)
            rows.append((title, f"{scores['n']:,}", *values))
    lines = _aligned(rows)
    latency = ", ".join(f"{name} {value:.1f} ms" for name, value in document["latency_ms"].items())
    return "\n".join(
        [*lines, "", f"indexing {document['index_seconds']:.1f} s; a search: {latency}"]
    )


def answer_tables(document: dict[str, Any]) -> str:
    """Return the scores of answers: a column a set, then the calibration, then the times."""
    sets = document["sets"]
    metrics = dict.fromkeys(metric for scores in sets.values() for metric in scores)
    rows = [("score", *sets)]
    for metric in metrics:
        cells = (f"{s[metric]:,.4g}" if metric in s else "-" for s in sets.values())
        rows.append((metric, *cells))
    confidence, elsewhere = document["confidence"], document["elsewhere"]
    lines = [*_aligned(rows), "", f"confidence: AUC {_auc(confidence['auc'])} over all questions"]
    lines[-1] += f", {_auc(confidence['auc_own'])} over those of their own repository"
    if elsewhere["n"]:
        lines.append(
            f"questions of other repositories: {elsewhere['n']:,}, "
            f"answered {elsewhere['false_answers']:.1%} of them"
        )
    bins = [("confidence", "answers", "mean", "supported")]
    for found in confidence["reliability"]:
        numbers = (f"{found['answers']:,}", f"{found['foretold']:.2f}", f"{found['right']:.2f}")
        bins.append((f"{found['low']:.1f} to {found['low'] + 0.1:.1f}", *numbers))
    times = [("stage", "p50 ms", "p95 ms", "p99 ms")]
    for stage, found in document["latency_ms"].items():
        times.append((stage, *(f"{found[p]:.2f}" for p in ("p50", "p95", "p99"))))
    return "\n".join([*lines, "", *_aligned(bins), "", *_aligned(times)])


def _auc(value: float | None) -> str:
    """Return an area; there is none where every answer is supported, or none is."""
    return "-" if value is None else str(value)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
