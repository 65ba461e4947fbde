"""One repository's search: channels, fusion, ranking, hydration; synchronous."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.ports import ChunkCatalog, Embedder, LexicalIndex, VectorIndex
from codeintel_rev.retrieval.fusion import reciprocal_rank_fusion
from codeintel_rev.retrieval.query import ParsedQuery
from codeintel_rev.retrieval.ranking import Candidate, query_facts, rank
from codeintel_rev.types import ChannelScores, ChunkRecord, Mode, SearchHit, Source

CANDIDATES = 100
"""Hits taken from each channel."""

_EXACT_LIMIT = 10
"""Definitions taken for each name."""


class Channels(NamedTuple):
    """The parts that one view of a repository is searched with."""

    vectors: VectorIndex
    words: LexicalIndex
    catalog: ChunkCatalog
    mask: NDArray[np.bool_]
    """Rows that are live and in scope."""


class Retrieved(NamedTuple):
    """Rows and scores of each channel, best first."""

    exact: Sequence[int] = ()
    dense: Mapping[int, float] = {}
    words: Mapping[int, float] = {}


class HybridSearcher:
    """Searches one view; holds nothing that outlives it."""

    def __init__(
        self, channels: Channels, embedder: Embedder, background_idf: Callable[[str], float]
    ) -> None:
        self._channels = channels
        self._embedder = embedder
        self._background_idf = background_idf

    def search(
        self, query: ParsedQuery, limit: int, mode: Mode = "hybrid", *, explain: bool = False
    ) -> list[SearchHit]:
        """Return up to ``limit`` hydrated hits, best first."""
        retrieved = self.retrieve(query, mode, max(CANDIDATES, limit))
        lists = {
            "exact": list(retrieved.exact),
            "faiss": list(retrieved.dense),
            "bm25": list(retrieved.words),
        }
        fused = reciprocal_rank_fusion({name: rows for name, rows in lists.items() if rows})
        first = retrieved.exact if query.is_identifier or mode == "exact" else ()
        return self.finish(query, fused, limit, retrieved, first=first, explain=explain)

    def finish(
        self,
        query: ParsedQuery,
        fused: Sequence[tuple[int, float]],
        limit: int,
        retrieved: Retrieved,
        *,
        first: Sequence[int] = (),
        explain: bool = False,
    ) -> list[SearchHit]:
        """Rank fused (row, score) pairs by what they are and hydrate the best ``limit``.

        Rows in ``first`` stand before all others; ``retrieved`` holds the channels' scores.
        """
        catalog = self._channels.catalog
        heads = catalog.heads([row for row, _ in fused])
        candidates = [Candidate(heads[row], score) for row, score in fused if row in heads]
        ranked = rank(query_facts(query.terms, self._background_idf), candidates)
        ranked.sort(key=lambda item: item[0].head.row not in first)
        del ranked[limit:]
        records = {
            record.row: record for record in catalog.hydrate([r[0].head.row for r in ranked])
        }
        return [
            _hit(records[c.head.row], score, c.score, retrieved, signals if explain else None)
            for c, score, signals in ranked
            if c.head.row in records
        ]

    def retrieve(self, query: ParsedQuery, mode: Mode, k: int) -> Retrieved:
        """Return each channel's rows; a channel that ``mode`` leaves out is empty."""
        exact = self._exact(query)
        dense = self.dense(query.text, k) if mode in ("hybrid", "dense") else {}
        words = self.words(query.terms, k) if mode in ("hybrid", "lexical") else {}
        return Retrieved(exact if mode in ("hybrid", "exact") else [], dense, words)

    def dense(self, text: str, k: int) -> dict[int, float]:
        """Return rows by similarity to ``text``; none when no word of it is known."""
        vector = self._embedder.embed_query(text)
        if not vector.any():
            return {}
        return _pairs(*self._channels.vectors.search(vector, k, self._channels.mask))

    def words(self, terms: Sequence[str], k: int) -> dict[int, float]:
        """Return rows by BM25."""
        return _pairs(*self._channels.words.search(terms, k, self._channels.mask))

    def _exact(self, query: ParsedQuery) -> list[int]:
        mask = self._channels.mask
        found: dict[int, None] = {}
        for name in query.names:
            for row in self._channels.catalog.definitions(name, _EXACT_LIMIT):
                if row < len(mask) and mask[row]:
                    found[row] = None
            if found and query.is_identifier:
                break
        return list(found)


def _pairs(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> dict[int, float]:
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


def hit_of_record(record: ChunkRecord, score: float) -> SearchHit:
    """Return a hit for a stored chunk, without channel scores."""
    return SearchHit(
        doc_id=record.id,
        score=score,
        row=record.row,
        uri=record.uri,
        start_line=record.start_line,
        end_line=record.end_line,
        language=record.lang,
        symbol=record.symbol,
        kind=record.kind,
        code=record.content,
        content_hash=record.content_hash,
    )


def _hit(
    record: ChunkRecord,
    score: float,
    rrf: float,
    retrieved: Retrieved,
    signals: dict[str, float] | None,
) -> SearchHit:
    dense, words = retrieved.dense.get(record.row), retrieved.words.get(record.row)
    source: Source = "faiss" if dense is not None else "bm25"
    explain = None
    if signals is not None:
        explain = {"exact": record.row in retrieved.exact, "signals": signals}
    scores = ChannelScores(faiss=dense, bm25=words, rrf=rrf)
    return replace(hit_of_record(record, score), source=source, scores=scores, explain=explain)
