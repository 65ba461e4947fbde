"""Least scores that a change must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.evaluation.metrics import FILE_METRICS, SPAN_METRICS
from codeintel_rev.evaluation.summary import ALL, Summary
from codeintel_rev.text.json_faults import NOT_JSON

if TYPE_CHECKING:
    from pathlib import Path

Thresholds = Mapping[str, Mapping[str, float | Mapping[str, float]]]
"""Set to metric to least value, or set to group to metric to least value."""


class Shortfall(NamedTuple):
    """A score below its threshold."""

    set: str
    group: str
    metric: str
    least: float
    score: float | None
    """``None`` when it was not measured."""


def read_thresholds(path: Path) -> Thresholds:
    """Read thresholds from JSON.

    Raises ``NotFound`` when there is no such file, ``InvalidArgument`` when it holds anything but
    numbers under the names of metrics.
    """
    try:
        thresholds = msgspec.json.decode(
            path.read_bytes(), type=dict[str, dict[str, float | dict[str, float]]]
        )
    except OSError as error:
        raise NotFound(
            f"cannot read {path}: {error.strerror}", hint="name a JSON file", value=str(path)
        ) from error
    except NOT_JSON as error:
        raise InvalidArgument(
            f"{path} holds no thresholds: {error}",
            hint='write {"SET": {"METRIC": LEAST VALUE}}',
            value=str(path),
        ) from error
    _check_metrics(path, thresholds)
    return thresholds


def shortfalls(thresholds: Thresholds, summaries: Mapping[str, Summary]) -> list[Shortfall]:
    """Return every threshold that is not reached, those that were not measured included."""
    found = []
    for name, group, metric, least in _flatten(thresholds):
        value = summaries.get(name, {}).get(group, {}).get(metric)
        if value is None or value < least:
            found.append(Shortfall(name, group, metric, least, value))
    return found


def _flatten(thresholds: Thresholds) -> list[tuple[str, str, str, float]]:
    flat = []
    for name, rows in thresholds.items():
        for key, least in rows.items():
            if isinstance(least, Mapping):
                flat += [(name, key, metric, value) for metric, value in least.items()]
            else:
                flat.append((name, ALL, key, least))
    return flat


def _check_metrics(path: Path, thresholds: Thresholds) -> None:
    known = (*FILE_METRICS, *SPAN_METRICS)
    for name, _, metric, _ in _flatten(thresholds):
        if metric not in known:
            raise InvalidArgument(
                f"{path}: {metric!r} of {name} is no metric",
                hint=f"the metrics are {', '.join(known)}",
                value=metric,
            )
