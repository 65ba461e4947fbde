"""From how well chunks match to their order: match, signals, evidence of the whole file (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.candidate import Candidates
from codeintel_rev.retrieval.signals import SIGNALS, QueryFacts, signal_values

RANKING_VERSION = 6
"""Bump when the same matches may come in another order; recorded with each index."""

DENSE_SHARES = (0.7, 0.5)
"""How much of a match is nearness of meaning, for a short and for a long query; the rest is words.

A long query, such as a whole issue, holds the words of the code it is about; its vector is blurred.
"""

_SHORT, _LONG = 3, 25
"""Distinct terms of a short and of a long query; between them the share falls steadily."""

BONUSES: Mapping[str, float] = {
    "named": 0.1,
    "file_name": 0.05,
    "guide": 0.15,
    "definition": 0.05,
}
"""What a signal adds to a match, which is at most 1."""

PENALTIES: Mapping[str, float] = {"test_path": 0.5, "prose": 0.5, "data": 0.3, "copied": 0.3}
"""The share of its score that a signal takes from a chunk."""

FILE_SHARE = 0.2
"""How much of a score is what the chunk's whole file has to show."""

FILE_DECAY = 0.7
"""Of a file's chunks, best first, each counts this much of the one before."""


class Weights(NamedTuple):
    """Every number of the ranking."""

    dense_shares: tuple[float, float] = DENSE_SHARES
    bonuses: Mapping[str, float] = BONUSES
    penalties: Mapping[str, float] = PENALTIES
    file_share: float = FILE_SHARE
    file_decay: float = FILE_DECAY


class Ranked(NamedTuple):
    """A candidate with its score and what is behind it."""

    row: int
    score: float
    dense: float
    words: float
    is_named: bool
    match: float
    """How well it matches, from both channels."""
    values: Sequence[float]
    """One for each of ``SIGNALS``, in their order."""
    file: float
    """What its file adds to the score."""
    strength: float = 1.0
    """What the score is multiplied with for its repository."""

    @property
    def signals(self) -> dict[str, float]:
        """The signals by name."""
        return {**dict(zip(SIGNALS, self.values, strict=True)), "file": self.file}


class Ranking(NamedTuple):
    """Candidates with their scores, in no order: arrays of one length."""

    candidates: Candidates
    scores: NDArray[np.float64]
    match: NDArray[np.float64]
    values: NDArray[np.float64]
    """A row for each of ``SIGNALS``."""
    files: NDArray[np.float64]
    lifted: NDArray[np.float64]
    """The scores, those of exact matches above all others."""
    strength: float = 1.0

    def of_strength(self, strength: float) -> Ranking:
        """Return the ranking with the weight that its repository has beside others."""
        scores = self.scores * strength
        return self._replace(scores=scores, lifted=scores, strength=strength)

    def lifting(self, rows: Sequence[int], *, by_kind: bool) -> Ranking:
        """Return the ranking with ``rows`` above every other, whose scores stay near 1.

        ``by_kind`` lifts types highest, and last what only carries a name.
        """
        exact = np.isin(self.candidates.rows, np.array(rows, dtype=np.int64))
        below = 2.0 * self.candidates.traits.table["order"] if by_kind else 0.0
        return self._replace(lifted=np.where(exact, self.scores + 6.0 - below, self.scores))

    def best(self, limit: int | None = None) -> list[Ranked]:
        """Return the candidates best first, ties by id; the first ``limit``."""
        found = self.candidates
        order = np.lexsort((found.traits.table["id"], -self.scores, -self.lifted))[:limit]
        columns: tuple[NDArray[Any], ...] = (
            found.rows,
            self.lifted,
            found.dense,
            found.words,
            found.is_named,
            self.match,
            self.values.T,
            self.files,
        )
        rows = zip(*(column[order].tolist() for column in columns), strict=True)
        return [Ranked._make((*row, self.strength)) for row in rows]


def rank(facts: QueryFacts, candidates: Candidates, weights: Weights | None = None) -> Ranking:
    """Return the candidates with their scores.

    A score is that of the chunk (its match plus bonuses, less penalties) mixed with that of its
    file, both as shares of the best.
    """
    weights = weights or Weights()
    values = signal_values(facts, candidates)
    match = match_scores(candidates, dense_share(facts.terms, weights.dense_shares))
    own = _own_scores(match, values, weights)
    numbers = candidates.traits.table["file"]
    files = _file_scores(numbers, own, weights.file_decay) * weights.file_share
    scores = own * _share(1.0 - weights.file_share, float(own.max(initial=0.0))) + files
    return Ranking(candidates, scores, match, values, files, lifted=scores)


def _own_scores(
    match: NDArray[np.float64], values: NDArray[np.float64], weights: Weights
) -> NDArray[np.float64]:
    """Return each chunk's score without its file."""
    bonus = _weighted(values, weights.bonuses)
    kept = np.maximum(1.0 - _weighted(values, weights.penalties), 0.0)
    return np.where(match > 0.0, (match + bonus) * kept, 0.0)


def _weighted(values: NDArray[np.float64], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the weighted sum of the signals, element by element: equal chunks stay equal."""
    total = np.zeros(values.shape[1])
    for name, column in zip(SIGNALS, values, strict=True):
        if name in weights:
            total += weights[name] * column
    return total


def _file_scores(
    files: NDArray[np.int32], own: NDArray[np.float64], decay: float
) -> NDArray[np.float64]:
    """Return what the file of each candidate has to show, as a share of the best file.

    That is the sum of its chunks' scores, best first, each worth less by ``decay``.
    """
    order = np.lexsort((-own, files))
    grouped = files[order]
    is_best = np.ones(len(order), dtype=np.bool_)
    is_best[1:] = grouped[1:] != grouped[:-1]
    group = is_best.cumsum() - 1
    place = np.arange(len(order)) - np.flatnonzero(is_best)[group]
    worth = np.full(len(order), decay)
    worth[:1] = 1.0
    evidence = np.bincount(group, weights=worth.cumprod()[place] * own[order])
    found = np.empty(len(order))
    found[order] = evidence[group]
    return found * _share(1.0, float(found.max(initial=0.0)))


def dense_share(terms: int, shares: tuple[float, float] = DENSE_SHARES) -> float:
    """Return how much nearness of meaning counts for a query of so many distinct terms."""
    length = min(max((terms - _SHORT) / (_LONG - _SHORT), 0.0), 1.0)
    return shares[0] + (shares[1] - shares[0]) * length


def match_scores(candidates: Candidates, dense_share: float) -> NDArray[np.float64]:
    """Return how well each candidate matches: the mean of its shares of the best score a channel.

    Shares keep what ranks lose: how far the first is ahead of the second. Where there is a channel of
    implied terms, half of what words count is its.
    """
    dense = np.maximum(candidates.dense, 0.0)
    words = _lexical(candidates)
    most_dense, most_words = float(dense.max(initial=0.0)), float(words.max(initial=0.0))
    if most_words <= 0.0:
        dense_share = 1.0
    elif most_dense <= 0.0:
        dense_share = 0.0
    match: NDArray[np.float64] = dense * _share(dense_share, most_dense)
    return match + words * _share(1.0 - dense_share, most_words)


def _lexical(candidates: Candidates) -> NDArray[np.float64]:
    """Return what speaks for each candidate's words."""
    words, sparse = candidates.words, candidates.sparse
    most_words, most_sparse = float(words.max(initial=0.0)), float(sparse.max(initial=0.0))
    if most_sparse <= 0.0:
        return words
    mixed: NDArray[np.float64] = words * _share(0.5, most_words) + sparse * (0.5 / most_sparse)
    return mixed


def _share(share: float, of: float) -> float:
    return share / of if of > 0.0 else 0.0
