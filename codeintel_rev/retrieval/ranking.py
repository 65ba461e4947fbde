"""From how well chunks match to their order: match, signals, evidence of the whole file (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from codeintel_rev.retrieval.signals import SIGNALS, QueryFacts, Subject
from codeintel_rev.types import ChunkHead

DENSE_SHARES = (0.6, 0.5)
"""How much of a match is nearness of meaning, for a short and for a long query; the rest is words.

A long query, such as a whole issue, holds the words of the code it is about; its vector is blurred.
"""

_SHORT, _LONG = 5, 25
"""Distinct terms of a short and of a long query; between them the share falls steadily."""

BONUSES: Mapping[str, float] = {"named": 0.1, "file_name": 0.05, "definition": 0.05}
"""What a signal adds to a match, which is at most 1."""

PENALTIES: Mapping[str, float] = {"test_path": 0.4, "prose": 0.6}
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


class Candidate(NamedTuple):
    """A chunk that a channel found."""

    head: ChunkHead
    dense: float = 0.0
    """Cosine of its vector and the query's."""
    words: float = 0.0
    """Its BM25 score."""
    is_named: bool = False


class Ranked(NamedTuple):
    """A candidate with its score and what is behind it."""

    candidate: Candidate
    score: float
    values: Sequence[float]
    """One for each of ``SIGNALS``, in their order."""
    file: float
    """What its file adds to the score."""

    @property
    def signals(self) -> dict[str, float]:
        """The signals by name."""
        return {**dict(zip(SIGNALS, self.values, strict=True)), "file": self.file}


def rank(
    facts: QueryFacts, candidates: Sequence[Candidate], weights: Weights | None = None
) -> list[Ranked]:
    """Return the candidates best first, ties by id.

    A score is that of the chunk (its match plus bonuses, less penalties) mixed with that of its
    file, both as shares of the best.
    """
    weights = weights or Weights()
    scored = _own_scores(facts, candidates, weights)
    evidence = file_evidence([(c.head.uri, score) for score, c, _ in scored], weights.file_decay)
    own_unit = _share(1.0 - weights.file_share, scored[0][0] if scored else 0.0)
    file_unit = _share(weights.file_share, max(evidence.values(), default=0.0))
    ranked = []
    for score, candidate, values in scored:
        file = evidence[candidate.head.uri] * file_unit
        ranked.append(Ranked(candidate, score * own_unit + file, values, file))
    ranked.sort(key=lambda item: (-item.score, item.candidate.head.id))
    return ranked


def _own_scores(
    facts: QueryFacts, candidates: Sequence[Candidate], weights: Weights
) -> list[tuple[float, Candidate, list[float]]]:
    """Return each chunk's score without its file, and its signals, best first."""
    bonuses = [weights.bonuses.get(name, 0.0) for name in SIGNALS]
    penalties = [weights.penalties.get(name, 0.0) for name in SIGNALS]
    matches = match_scores(candidates, dense_share(facts.terms, weights.dense_shares))
    scored = []
    for candidate, match in zip(candidates, matches, strict=True):
        subject = Subject(candidate.head, candidate.is_named)
        values = [signal(facts, subject) for signal in SIGNALS.values()]
        score = (match + _dot(bonuses, values)) * max(1.0 - _dot(penalties, values), 0.0)
        scored.append((score if match > 0.0 else 0.0, candidate, values))
    scored.sort(key=lambda item: (-item[0], item[1].head.id))
    return scored


def dense_share(terms: int, shares: tuple[float, float] = DENSE_SHARES) -> float:
    """Return how much nearness of meaning counts for a query of so many distinct terms."""
    length = min(max((terms - _SHORT) / (_LONG - _SHORT), 0.0), 1.0)
    return shares[0] + (shares[1] - shares[0]) * length


def match_scores(candidates: Sequence[Candidate], dense_share: float) -> list[float]:
    """Return how well each candidate matches: the mean of its shares of the best score a channel.

    Shares keep what ranks lose: how far the first is ahead of the second.
    """
    most_dense = max((c.dense for c in candidates), default=0.0)
    most_words = max((c.words for c in candidates), default=0.0)
    if most_words <= 0.0:
        dense_share = 1.0
    elif most_dense <= 0.0:
        dense_share = 0.0
    dense_unit = _share(dense_share, most_dense)
    words_unit = _share(1.0 - dense_share, most_words)
    return [max(c.dense, 0.0) * dense_unit + c.words * words_unit for c in candidates]


def file_evidence(scored: Iterable[tuple[str, float]], decay: float) -> dict[str, float]:
    """Return what each file has to show: the sum of its chunks' scores, each worth less by ``decay``.

    ``scored`` holds a (file, score) pair a chunk, best first.
    """
    evidence: dict[str, float] = {}
    worth: dict[str, float] = {}
    for file, score in scored:
        factor = worth.get(file, 1.0)
        evidence[file] = evidence.get(file, 0.0) + factor * score
        worth[file] = factor * decay
    return evidence


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(map(mul, left, right))


def _share(share: float, of: float) -> float:
    return share / of if of > 0.0 else 0.0
