"""How well a number from 0 to 1 foretells whether something is right (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Outcome = tuple[float, bool]
"""What was foretold, and whether it was right."""


class Bin(NamedTuple):
    """The outcomes that were foretold between ``low`` and a tenth above."""

    low: float
    answers: int
    foretold: float
    """Their mean prediction."""
    right: float
    """Share of them that were right."""


def auc(outcomes: Sequence[Outcome]) -> float | None:
    """Return how often a right outcome was foretold higher than a wrong one; ties count half.

    ``None`` where all are right or all are wrong.
    """
    values = np.array([value for value, _ in outcomes], dtype=np.float64)
    right = np.array([is_right for _, is_right in outcomes], dtype=np.bool_)
    positives, negatives = int(right.sum()), int((~right).sum())
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = float(ranks[right].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def reliability(outcomes: Sequence[Outcome]) -> list[Bin]:
    """Return the tenths of the scale that hold outcomes, lowest first."""
    tenths: dict[int, list[Outcome]] = {}
    for value, is_right in outcomes:
        tenths.setdefault(min(9, int(value * 10)), []).append((value, is_right))
    return [
        Bin(
            low=tenth / 10,
            answers=len(found),
            foretold=sum(value for value, _ in found) / len(found),
            right=sum(is_right for _, is_right in found) / len(found),
        )
        for tenth, found in sorted(tenths.items())
    ]
