"""Evidence: how strongly the retrieved snippets support an answer (pure).

The strength is a logistic function of three signals that can be measured on any question. Its
constants are those that ``benchmarks/answers.py`` fits on 633 questions to 54 trees, each asked of
its own and of two of other repositories; benchmarks/README.md shows how it turned out, and a test
that they are those of the result there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from codeintel_rev.answer.definitions import names_defined_in
from codeintel_rev.answer.question import Question, stems_of
from codeintel_rev.types import SearchHit

BEST = 3
"""How many of the best hits count as evidence."""

NO_EVIDENCE: Final = 0.2
"""Below this strength an answer begins by saying that nothing was found.

On those questions 12% of the ones asked of the wrong repository pass it, and 7% of the ones whose
answer is among the best three hits do not; at 0.3 it would be 8% and 14%.
"""


class Weights(NamedTuple):
    """What the signals weigh, in the exponent of the logistic function."""

    bias: float
    cosine: float
    held: float
    named: float


WITH_MEANING: Final = Weights(-6.31, 8.8, 3.0, 2.34)
BY_WORDS_ALONE: Final = Weights(-3.68, 0.0, 5.71, 2.5)
"""Where no hit has a cosine, because only words or names were searched."""


class Evidence(NamedTuple):
    """What speaks for the hits, each from 0 to 1."""

    cosine: float
    """The highest similarity of meaning among the best hits, or of a reranker's scores."""
    held: float
    """Share of the question that one hit holds: its telling words, rare ones weighing most."""
    named: float
    """1 when a hit defines a name of the question, or holds the text that it quotes."""
    score: float
    """The strength of all this: about the share of such questions that the hits answer."""


NO_HITS = Evidence(0.0, 0.0, 0.0, 0.0)


def evidence_of(question: Question, hits: Sequence[SearchHit]) -> Evidence:
    """Return how strongly hits, best first, support an answer to the question."""
    if not hits:
        return NO_HITS
    best = hits[:BEST]
    cosines = [cosine for cosine in map(_cosine, best) if cosine is not None]
    stems = (stems_of(f"{hit.uri} {hit.symbol} {hit.code}") for hit in best)
    signals = (
        max(0.0, *cosines, 0.0),
        max(map(question.share_in, stems)),
        float(any(_is_named(question, hit) for hit in best)),
    )
    bias, *weights = WITH_MEANING if cosines else BY_WORDS_ALONE
    exponent = bias + sum(w * signal for w, signal in zip(weights, signals, strict=True))
    return Evidence(*signals, 1 / (1 + math.exp(-exponent)))


def _cosine(hit: SearchHit) -> float | None:
    known = [score for score in (hit.scores.rerank, hit.scores.faiss) if score is not None]
    return max(known, default=None)


def _is_named(question: Question, hit: SearchHit) -> bool:
    if hit.symbol.rpartition(".")[2] in question.names or question.is_quoted_in(hit.code):
        return True
    asked = question.only_name
    return bool(asked) and asked in hit.code and asked in names_defined_in(hit.code.split("\n"))
