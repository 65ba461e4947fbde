"""Metrics whose labels take one of a few values, each sampled from the start."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final, Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)

OTHER: Final = "other"
"""Stands for every value that is not listed."""


class Labelled(Generic[M]):
    """The children of a metric: one for each combination of the values that its labels may take.

    A query, a path or a session can therefore never become a time series.
    """

    def __init__(self, metric: M, *values: Sequence[str]) -> None:
        """Make a child for each combination; ``values`` are those of each label, in order."""
        self._values = [frozenset(each) for each in values]
        self._children: dict[tuple[str, ...], M] = {
            labels: metric.labels(*labels) for labels in product(*values)
        }

    def of(self, *labels: str) -> M:
        """Return the child of these labels; raises ``KeyError`` where one is neither listed nor ``other``."""
        known = zip(labels, self._values, strict=True)
        return self._children[tuple(label if label in values else OTHER for label, values in known)]
