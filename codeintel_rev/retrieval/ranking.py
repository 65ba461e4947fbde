"""From how well chunks match to their order: match, signals, evidence of the whole file (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from codeintel_rev.retrieval.signals import SIGNALS, QueryFacts, Subject
from codeintel_rev.types import ChunkHead

DENSE_SHARE = 0.5
"""How much of a match is nearness of meaning; the rest is words."""

BONUSES: Mapping[str, float] = {"named": 0.1, "file_name": 0.1, "definition": 0.05}
"""What a signal adds to a match, which is at most 1."""

PENALTIES: Mapping[str, float] = {"test_path": 0.4, "prose": 0.6, "data": 0.5}
"""The share of its score that a signal takes from a chunk."""

FILE_SHARE = 0.3
"""How much of a score is what the chunk's whole file has to show."""

FILE_DECAY = 0.7
"""Of a file's chunks, best first, each counts this much of the one before."""


class Weights(NamedTuple):
    """Every number of the ranking."""

    dense_share: float = DENSE_SHARE
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
    """A candidate with its score and the signals behind it."""

    candidate: Candidate
    score: float
    signals: Mapping[str, float]


def rank(
    facts: QueryFacts, candidates: Sequence[Candidate], weights: Weights | None = None
) -> list[Ranked]:
    """Return the candidates best first, ties by id.

    A score is that of the chunk (its match plus bonuses, less penalties) mixed with that of its
    file, both as shares of the best.
    """
    weights = weights or Weights()
    matches = match_scores(candidates, weights.dense_share)
    scored = []
    for candidate, match in zip(candidates, matches, strict=True):
        subject = Subject(candidate.head, candidate.is_named)
        values = {name: signal(facts, subject) for name, signal in SIGNALS.items()}
        scored.append(Ranked(candidate, _signalled(match, values, weights), values))
    ranked = _with_file_evidence(scored, weights)
    ranked.sort(key=lambda item: (-item.score, item.candidate.head.id))
    return ranked


def match_scores(candidates: Sequence[Candidate], dense_share: float = DENSE_SHARE) -> list[float]:
    """Return how well each candidate matches: the mean of its shares of the best score a channel.

    Shares keep what ranks lose: how far the first is ahead of the second.
    """
    most_dense = max((c.dense for c in candidates), default=0.0)
    most_words = max((c.words for c in candidates), default=0.0)
    if most_words <= 0.0:
        dense_share = 1.0
    elif most_dense <= 0.0:
        dense_share = 0.0
    dense_unit = dense_share / most_dense if most_dense > 0.0 else 0.0
    words_unit = (1.0 - dense_share) / most_words if most_words > 0.0 else 0.0
    return [max(c.dense, 0.0) * dense_unit + c.words * words_unit for c in candidates]


def _signalled(match: float, values: Mapping[str, float], weights: Weights) -> float:
    if match <= 0.0:
        return 0.0
    bonus = sum(weight * values[name] for name, weight in weights.bonuses.items())
    penalty = sum(weight * values[name] for name, weight in weights.penalties.items())
    return (match + bonus) * max(1.0 - penalty, 0.0)


def _with_file_evidence(scored: Iterable[Ranked], weights: Weights) -> list[Ranked]:
    """Mix each score with the sum of its file's scores, which fall off by ``file_decay``."""
    ordered = sorted(scored, key=lambda item: (-item.score, item.candidate.head.id))
    best = ordered[0].score if ordered else 0.0
    if best <= 0.0:
        return ordered
    evidence: dict[str, float] = {}
    weight: dict[str, float] = {}
    for item in ordered:
        uri = item.candidate.head.uri
        factor = weight.get(uri, 1.0)
        evidence[uri] = evidence.get(uri, 0.0) + factor * item.score
        weight[uri] = factor * weights.file_decay
    own_unit = (1.0 - weights.file_share) / best
    file_unit = weights.file_share / max(evidence.values())
    return [
        Ranked(
            item.candidate,
            item.score * own_unit + evidence[item.candidate.head.uri] * file_unit,
            {**item.signals, "file": evidence[item.candidate.head.uri] * file_unit},
        )
        for item in ordered
    ]
