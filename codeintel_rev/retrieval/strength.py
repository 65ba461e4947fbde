"""How strongly each of several repositories speaks to one query (pure).

Scores within a repository are shares of its best match, so that its order never depends on its
neighbours. What makes two repositories compare is told here, by one factor for each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from codeintel_rev.text.code_tokenizer import tokenize

SIMILAR_SHARE = 0.5
"""How much the best similarity tells; the rest is how well the words are covered."""

STEEPNESS = 2.0
"""Power of the mean: a repository that is a tenth behind loses a fifth of its scores."""

NAMED = 1.5
"""Factor for a repository that the query names."""

DEFINING = 1.2
"""Factor for a repository that defines what a sentence names."""

TYPICAL_ROWS = 400
SIMILAR_FALL, WORDED_FALL = 0.01, 0.06
"""What a repository loses for each e-fold of rows beyond the typical: the best of many is higher by
chance. Similarity loses so much of its value, coverage such a share."""


class Evidence(NamedTuple):
    """What one repository has to show."""

    similar: float
    """Its best cosine."""
    worded: float
    """How well its best chunk covers the query's words, by their background rarity."""
    rows: int = TYPICAL_ROWS
    """How many chunks it searched."""
    is_named: bool = False
    """Whether its name stands in the query."""
    is_defining: bool = False
    """Whether it defines a name of code that stands in a sentence."""


def strengths(found: Sequence[Evidence]) -> list[float]:
    """Return a factor for each repository: 1 for one that leads in everything and is not mentioned.

    A channel that found nothing anywhere has no say; where both found nothing, all are equal.
    """
    similar = _shares([_similar(evidence) for evidence in found])
    worded = _shares([_worded(evidence) for evidence in found])
    if similar is None or worded is None:
        means = similar or worded or [1.0] * len(found)
    else:
        pairs = zip(similar, worded, strict=True)
        means = [SIMILAR_SHARE * s + (1.0 - SIMILAR_SHARE) * w for s, w in pairs]
    return [
        mean**STEEPNESS * _mentioned(evidence) for mean, evidence in zip(means, found, strict=True)
    ]


def _mentioned(evidence: Evidence) -> float:
    named = NAMED if evidence.is_named else 1.0
    return named * (DEFINING if evidence.is_defining else 1.0)


def names_repository(query: str, repository: str) -> bool:
    """Return whether every word of a repository's name stands in the query."""
    name = tokenize(repository)
    return bool(name) and set(name) <= set(tokenize(query))


def _similar(evidence: Evidence) -> float:
    return max(evidence.similar - SIMILAR_FALL * _size(evidence), 0.0)


def _worded(evidence: Evidence) -> float:
    return evidence.worded * max(1.0 - WORDED_FALL * _size(evidence), 0.0)


def _size(evidence: Evidence) -> float:
    return math.log(max(evidence.rows, 1) / TYPICAL_ROWS)


def _shares(values: Sequence[float]) -> list[float] | None:
    most = max(values, default=0.0)
    return [value / most for value in values] if most > 0.0 else None
