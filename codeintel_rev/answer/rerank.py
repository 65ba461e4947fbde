"""A second opinion on the order of hits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from codeintel_rev.errors import Unavailable
from codeintel_rev.ports import Reranker
from codeintel_rev.types import SearchHit


async def rerank(reranker: Reranker, query: str, hits: Sequence[SearchHit]) -> list[SearchHit]:
    """Return the hits in the order of the reranker's scores; equal ones keep theirs.

    Raises:
        Unavailable: the scores are not one finite number for each hit.

    """
    scores = await reranker.rerank(query, [hit.code for hit in hits])
    if len(scores) != len(hits) or not all(map(math.isfinite, scores)):
        raise Unavailable(
            f"the reranker gave {len(scores)} scores for {len(hits)} candidates, or not finite ones",
            hint="check the score model and its server",
        )
    scored = [
        replace(hit, score=score, scores=replace(hit.scores, rerank=score))
        for hit, score in zip(hits, scores, strict=True)
    ]
    return sorted(scored, key=lambda hit: -hit.score)
