"""The order of the best hits after a slower model has looked at them (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from codeintel_rev.types import SearchHit

SHARE = 0.6
"""How much of a score is the second model's; the rest is that of the first stage. From 0.5 to 0.8
web queries come out alike; what knows more about code has a say."""

_EXACT = 1.5
"""A higher score is that of an exact match, which no model is asked about."""


def reordered(
    hits: Sequence[SearchHit], similarities: Mapping[int, float], share: float = SHARE
) -> list[SearchHit]:
    """Return hits by the mix of their score and the second model's, ties by id.

    ``similarities`` are cosines by id. Each counts as a share of the best one; a hit that has none
    keeps the score it has.
    """
    best_score = max((hit.score for hit in hits if hit.score < _EXACT), default=0.0)
    best_cosine = max(similarities.values(), default=0.0)
    if best_score <= 0.0 or best_cosine <= 0.0:
        return list(hits)
    scale = best_score / best_cosine

    def mixed(hit: SearchHit) -> SearchHit:
        cosine = similarities.get(hit.doc_id)
        if cosine is None:
            return hit
        scores = replace(hit.scores, rerank=cosine)
        if hit.score >= _EXACT:
            return replace(hit, scores=scores)
        score = (1.0 - share) * hit.score + share * max(cosine, 0.0) * scale
        return replace(hit, score=score, scores=scores)

    return sorted(map(mixed, hits), key=lambda hit: (-hit.score, hit.doc_id))
