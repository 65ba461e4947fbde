"""Fusion of ranked lists by reciprocal rank."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING

from codeintel_rev.errors import InvalidArgument
from codeintel_rev.types import ChannelScores, SearchHit, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RRF_K = 60
"""Damps the lead of the first ranks; 60 is the value of the method's paper."""


def reciprocal_rank_fusion(
    channels: Mapping[str, Sequence[int]], k: int = RRF_K
) -> list[tuple[int, float]]:
    """Return (id, score) pairs, best first, where a score is the sum of ``1 / (k + rank)``.

    Each channel lists ids best first; ranks count from 1, and of an id that a channel repeats only
    the best rank counts. Equal scores are ordered by the best rank in any channel, then by id, so
    the order of the channels never matters.

    The formula is Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods", SIGIR 2009.

    Raises:
        InvalidArgument: ``k`` is negative.

    """
    if k < 0:
        raise InvalidArgument(
            f"RRF's k must not be negative, got {k}", value=str(k), hint=f"use {RRF_K}"
        )
    ranks: dict[int, list[int]] = {}
    for ids in channels.values():
        for rank, doc_id in enumerate(dict.fromkeys(ids), start=1):
            ranks.setdefault(doc_id, []).append(rank)
    # fsum makes the sum exact: documents with the same ranks tie, whatever the channels' order.
    scored = [(doc_id, fsum(1 / (k + rank) for rank in found)) for doc_id, found in ranks.items()]
    return sorted(scored, key=lambda pair: (-pair[1], min(ranks[pair[0]]), pair[0]))


def fuse_hits(channels: Mapping[Source, Sequence[SearchHit]], k: int = RRF_K) -> list[SearchHit]:
    """Return each hit of the channels once, best first, scored by :func:`reciprocal_rank_fusion`.

    A fused hit keeps its best score of each channel in ``scores``, and all else from the first
    channel that found it.
    """
    first: dict[int, SearchHit] = {}
    scores: dict[int, dict[str, float]] = {}
    for channel, hits in channels.items():
        for hit in hits:
            first.setdefault(hit.doc_id, hit)
            own = scores.setdefault(hit.doc_id, {})
            own[channel] = max(hit.score, own.get(channel, hit.score))
    ids: dict[str, list[int]] = {
        channel: [hit.doc_id for hit in hits] for channel, hits in channels.items()
    }
    return [
        replace(first[doc_id], score=score, scores=ChannelScores(**scores[doc_id], rrf=score))
        for doc_id, score in reciprocal_rank_fusion(ids, k)
    ]
