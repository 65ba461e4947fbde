"""The times of a profile as a table and as a document (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codeintel_rev.app.bench import Cost, Profile


def stage_table(profile: Profile) -> str:
    """Return one line a stage, for indexing and for one search, and what a process takes."""
    return "\n".join(_lines(profile))


def stage_document(profile: Profile) -> dict[str, Any]:
    """Return the same as a document; times in milliseconds."""
    return {
        "files": profile.files,
        "lines": profile.lines,
        "chunks": profile.chunks,
        "indexing": [_cost_document(cost) for cost in profile.indexing],
        "search": [_cost_document(cost) for cost in profile.search],
        "process_ms": [round(ms, 1) for ms in profile.process_ms],
    }


def _cost_document(cost: Cost) -> dict[str, Any]:
    return {
        "stage": cost.stage,
        "cpu_ms": round(cost.cpu * 1000, 3),
        "wall_ms": round(cost.wall * 1000, 3),
    }


def _lines(profile: Profile) -> Iterator[str]:
    cpu = sum(cost.cpu for cost in profile.indexing)
    rate = f", {profile.lines / cpu:,.0f} lines a CPU second" if cpu else ""
    yield f"indexing {profile.files:,} files, {profile.lines:,} lines, {profile.chunks:,} chunks"
    yield from _rows(profile.indexing, 1.0, "s")
    yield f"  {'all':<18}{cpu:>10.2f} s{rate}"
    yield ""
    yield "one search in an open index"
    yield from _rows(profile.search, 1000.0, "ms")
    yield ""
    yield f"codeintel search as a process: median {median(profile.process_ms):.0f} ms"


def _rows(costs: Sequence[Cost], scale: float, unit: str) -> Iterator[str]:
    for cost in costs:
        cpu, wall = cost.cpu * scale, cost.wall * scale
        yield f"  {cost.stage:<18}{cpu:>10.2f} {unit} CPU {wall:>10.2f} {unit} wall"
