"""Scores of an evaluation as a table (pure)."""

from __future__ import annotations

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
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    latency = ", ".join(f"{name} {value:.1f} ms" for name, value in document["latency_ms"].items())
    return "\n".join(
        [*lines, "", f"indexing {document['index_seconds']:.1f} s; a search: {latency}"]
    )
