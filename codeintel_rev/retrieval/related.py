"""Chunks like a given one: near in meaning, and sharing the words that tell it from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.channels import Channels
from codeintel_rev.retrieval.query import telling_terms

DENSE_SHARE = 0.6
"""How much of the likeness is nearness of meaning; the rest is shared words."""


class Likeness(NamedTuple):
    """How like the given chunk another one is."""

    row: int
    score: float
    """From 0 to 1, comparable over repositories."""
    dense: float
    words: float | None


class Given(NamedTuple):
    """The chunk whose like is sought."""

    vector: NDArray[np.float32]
    terms: Sequence[str]
    full: float
    """The best BM25 score for the chunk's own words, which is nearly always its own."""


def given(channels: Channels, vector: NDArray[np.float32], text: str) -> Given:
    """Describe a chunk of the repository of ``channels`` that holds ``text``."""
    terms = telling_terms(text)
    _, scores = channels.words.search(terms, 1, channels.mask)
    return Given(vector, terms, float(scores[0]) if len(scores) else 0.0)


def related(channels: Channels, chunk: Given, k: int) -> list[Likeness]:
    """Return the ``k`` nearest rows by meaning and by words, best first, ties by row.

    The given chunk, where it stands in this repository, is one of them.
    """
    near: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    if chunk.vector.any():
        near, _ = channels.vectors.search(chunk.vector, k, channels.mask)
    worded, scores = channels.words.search(chunk.terms, k, channels.mask)
    words = dict(zip(worded.tolist(), scores.tolist(), strict=True))
    rows = np.union1d(near, worded)
    similar = channels.vectors.similarities(chunk.vector, rows).tolist()
    found = [
        _likeness(chunk, row, dense, words.get(row))
        for row, dense in zip(rows.tolist(), similar, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.score, one.row))


def _likeness(chunk: Given, row: int, dense: float, words: float | None) -> Likeness:
    shared = min((words or 0.0) / chunk.full, 1.0) if chunk.full > 0.0 else 0.0
    score = DENSE_SHARE * max(dense, 0.0) + (1.0 - DENSE_SHARE) * shared
    return Likeness(row, score, dense, words)
