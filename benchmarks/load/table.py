"""What a load run measured, to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

HEADS = ("requests", "offered/s", "answered/s", "refused", "lost", "p50 ms", "p95 ms", "p99 ms")
ANSWERED = "200"
REFUSED = ("429", "503")


def progress(step: dict[str, Any]) -> str:
    """Return a line about a step."""
    return "  " + ", ".join(
        f"{head} {cell}" for head, cell in zip(HEADS[1:], _cells(step), strict=True)
    )


def table(told: dict[str, Any], profiles: Iterable[str]) -> str:
    """Return a line for each step, in columns, and where the knees are."""
    rows = [HEADS, *_rows(told, profiles)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    knees = [
        f"{name}: the goal is kept up to {knee or 'no'} requests a second"
        for name in profiles
        if (knee := told[name].get("knee", "")) != ""
    ]
    return "\n".join([*lines, "", *knees])


def _rows(told: dict[str, Any], profiles: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for name in profiles:
        for step in told[name]["steps"]:
            yield (name, *_cells(step))


def _cells(step: dict[str, Any]) -> tuple[str, ...]:
    statuses = step["statuses"]
    refused = sum(statuses.get(status, 0) for status in REFUSED)
    lost = sum(statuses.values()) - refused - statuses.get(ANSWERED, 0)
    times = (step["answered"][f"p{percent}_ms"] for percent in (50, 95, 99))
    return (
        f"{step['offered_per_s']:g}",
        f"{step['answered_per_s']:g}",
        str(refused),
        str(lost),
        *("-" if time is None else f"{time:.1f}" for time in times),
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    _, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([row[0].ljust(widths[0]), *rest])
