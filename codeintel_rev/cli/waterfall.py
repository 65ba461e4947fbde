"""One trace as a picture: a bar for each stage, below each other as they followed (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 50
"""Characters that stand for the whole time."""

_BEFORE = ("embed",)
_CHANNELS = ("faiss", "bm25", "splade")
_AFTER = ("fusion", "hydration", "rerank", "synthesis")

Bar = tuple[str, float, float]
"""A stage, when it began and how long it took, in milliseconds."""


def waterfall(trace: Mapping[str, Any]) -> str:
    """Return a line for each stage that ran, and one for the time that belongs to none."""
    total = trace["total_latency_ms"]
    bars = list(_bars(trace, total))
    known = max((start + length for _, start, length in bars), default=0.0)
    if total > known:
        bars.append(("other", known, total - known))
    return "\n".join(_line(bar, max(total, known)) for bar in bars)


def _bars(trace: Mapping[str, Any], total: float) -> Iterator[Bar]:
    """Yield the stages; the channels begin together where they cannot all have followed another."""
    took = {
        stage: trace[f"{stage}_latency_ms"]
        for stage in (*_BEFORE, *_CHANNELS, *_AFTER)
        if trace.get(f"{stage}_latency_ms") is not None
    }
    together = sum(took.values()) > total
    fork = took.get("embed", 0.0)
    end = 0.0
    for stage, length in took.items():
        at = fork if together and stage in _CHANNELS else end
        yield stage, at, length
        end = max(end, at + length)


def _line(bar: Bar, whole: float) -> str:
    stage, start, length = bar
    scale = WIDTH / whole if whole > 0 else 0.0
    first = min(WIDTH - 1, int(start * scale))
    cells = max(1, min(WIDTH - first, round(length * scale)))
    return f"{stage:<10}{' ' * first}{'█' * cells:<{WIDTH - first}}{length:10.1f} ms"
