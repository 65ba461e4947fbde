"""Evidence: how strongly the retrieved snippets support an answer (pure).

The strength is a logistic function of four signals that can be measured on any question. Its
weights were fitted on questions asked of their own repository and of others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from codeintel_rev.answer.question import Question, stems_of
from codeintel_rev.types import SearchHit

BEST = 3
"""How many of the best hits count as evidence."""

NO_EVIDENCE: Final = 0.3
"""Below this strength an answer begins by saying that nothing was found."""

_BIAS: Final = -3.0
_WEIGHTS: Final = (3.0, 3.0, 1.0, 1.0)


class Evidence(NamedTuple):
    """What speaks for the hits, each from 0 to 1."""

    cosine: float
    """The highest similarity of meaning among the best hits, or of a reranker's scores."""
    held: float
    """Share of the question that one hit holds: its telling words, rare ones weighing most."""
    together: float
    """The same share for the best hits together."""
    named: float
    """1 when a hit defines a name of the question, or holds the text that it quotes."""
    score: float
    """The strength of all this."""


NO_HITS = Evidence(0.0, 0.0, 0.0, 0.0, 0.0)


def evidence_of(question: Question, hits: Sequence[SearchHit]) -> Evidence:
    """Return how strongly hits, best first, support an answer to the question."""
    if not hits:
        return NO_HITS
    best = hits[:BEST]
    stems = [stems_of(f"{hit.uri} {hit.symbol} {hit.code}") for hit in best]
    signals = (
        max(_cosine(hit) for hit in best),
        max(map(question.share_in, stems)),
        question.share_in(frozenset().union(*stems)),
        float(any(_is_named(question, hit) for hit in best)),
    )
    weighted = _BIAS + sum(w * s for w, s in zip(_WEIGHTS, signals, strict=True))
    return Evidence(*signals, 1 / (1 + math.exp(-weighted)))


def _cosine(hit: SearchHit) -> float:
    known = (hit.scores.rerank, hit.scores.faiss)
    return max(0.0, *(score for score in known if score is not None), 0.0)


def _is_named(question: Question, hit: SearchHit) -> bool:
    return hit.symbol.rpartition(".")[2] in question.names or question.is_quoted_in(hit.code)
