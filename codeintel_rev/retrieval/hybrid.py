"""One repository's search: channels, fusion, ranking, hydration; synchronous."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.ports import Embedder
from codeintel_rev.retrieval.candidate import Candidates
from codeintel_rev.retrieval.channels import Channels
from codeintel_rev.retrieval.definitions import defining_rows
from codeintel_rev.retrieval.explanation import explained
from codeintel_rev.retrieval.fusion import RRF_K
from codeintel_rev.retrieval.leading import leading_rows
from codeintel_rev.retrieval.query import ParsedQuery
from codeintel_rev.retrieval.ranking import Ranked, rank
from codeintel_rev.retrieval.signals import query_facts
from codeintel_rev.retrieval.strength import Evidence
from codeintel_rev.retrieval.verbatim import verbatim
from codeintel_rev.types import ChannelScores, ChunkHead, ChunkRecord, Mode, SearchHit

CANDIDATES = 50
"""Rows of each channel that are ranked; more of them bring noise into the evidence of files."""

WORDS_KNOWN = 150
"""Rows whose BM25 score is known, so that those that only the dense channel found have one too."""


class Retrieved(NamedTuple):
    """Rows and scores of each channel, best first."""

    exact: Sequence[int] = ()
    dense: Mapping[int, float] = {}
    words: Mapping[int, float] = {}
    leading: Sequence[int] = ()
    """Of the exact rows those that are all that the query asks for: they stand before all else."""
    is_verbatim: bool = False
    """Whether the exact rows hold what the query quotes, instead of defining what it names."""
    sparse: Mapping[int, float] = {}


def _best_first(scores: Mapping[int, float]) -> dict[int, float]:
    return dict(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0])))


class HybridSearcher:
    """Searches one view; holds nothing that outlives it."""

    def __init__(self, channels: Channels, embedder: Embedder) -> None:
        self._channels = channels
        self._embedder = embedder
        self._embedded: tuple[str, NDArray[np.float32]] | None = None

    def search(
        self, query: ParsedQuery, limit: int, mode: Mode = "hybrid", *, explain: bool = False
    ) -> list[SearchHit]:
        """Return up to ``limit`` hydrated hits, best first."""
        return self.finish(query, self.retrieve(query, mode, limit), limit, mode, explain=explain)

    def evidence(self, query: ParsedQuery, retrieved: Retrieved) -> Evidence:
        """Return what speaks for this repository beside others."""
        return Evidence(
            similar=max(retrieved.dense.values(), default=0.0),
            worded=self.coverage(query) if retrieved.words else 0.0,
            rows=int(self._channels.mask.sum()),
            is_defining=(
                bool(retrieved.exact) and not retrieved.is_verbatim and not query.is_identifier
            ),
        )

    def coverage(self, query: ParsedQuery) -> float:
        """Return how well the best chunk covers the query's words, which repositories compare by."""
        return self._channels.words.coverage(query.terms, self._channels.mask, query.title)

    def finish(
        self,
        query: ParsedQuery,
        retrieved: Retrieved,
        limit: int,
        mode: Mode = "hybrid",
        *,
        explain: bool = False,
    ) -> list[SearchHit]:
        """Rank what the channels returned and hydrate the best ``limit``."""
        ranked = self.ranked(query, retrieved, limit, mode)
        return self.hydrated(ranked, retrieved, explain=explain)

    def ranked(
        self,
        query: ParsedQuery,
        retrieved: Retrieved,
        limit: int,
        mode: Mode = "hybrid",
        strength: float = 1.0,
    ) -> list[Ranked]:
        """Return the best ``limit`` of what the channels returned; scores are times ``strength``.

        The definitions of a query that is one name stand before all else, types before what
        belongs to them; so do the text that a query quotes, the line that tells the default it asks
        for, and the heirs of a type.
        """
        facts = query_facts(query.terms, query.title, is_how_to=query.is_how_to)
        ranking = rank(facts, self.candidates(query, retrieved, limit))
        if strength != 1.0:
            ranking = ranking.of_strength(strength)
        if query.is_identifier:
            name = query.names[0].rpartition(".")[2]
            meant = called(self._channels.catalog.heads(retrieved.exact).values(), name)
            ranking = ranking.lifting(meant or retrieved.leading, by_kind=bool(meant))
        elif mode == "exact":
            ranking = ranking.lifting(retrieved.exact, by_kind=not retrieved.is_verbatim)
        elif retrieved.leading:
            ranking = ranking.lifting(
                retrieved.leading, by_kind=bool(query.spelled or query.heirs_of)
            )
        return ranking.best(limit)

    def hydrated(
        self, ranked: Sequence[Ranked], retrieved: Retrieved, *, explain: bool = False
    ) -> list[SearchHit]:
        """Return hits with their text, in the order given."""
        rows = [item.row for item in ranked]
        records = {record.row: record for record in self._channels.catalog.hydrate(rows)}
        ranks = _reciprocal_ranks(retrieved)
        return [
            _hit(records[row], item, ranks.get(row), retrieved, explain=explain)
            for row, item in zip(rows, ranked, strict=True)
            if row in records
        ]

    def retrieve(self, query: ParsedQuery, mode: Mode, limit: int) -> Retrieved:
        """Return each channel's rows; a channel that ``mode`` leaves out is empty."""
        wanted = max(CANDIDATES, limit)
        dense = self.dense(query, wanted) if mode in ("hybrid", "dense") else {}
        known = max(WORDS_KNOWN, wanted)
        words = self.words(query, known) if mode in ("hybrid", "lexical") else {}
        if mode not in ("hybrid", "exact"):
            return Retrieved([], dense, words)
        sparse = self.sparse(query, wanted) if mode == "hybrid" else {}
        return self._with_exact(query, dense, words)._replace(sparse=sparse)

    def retrieved_before(self, query: ParsedQuery, hits: Sequence[SearchHit]) -> Retrieved:
        """Return what the channels said of ``hits`` when they were asked one by one."""
        dense = {hit.row: hit.scores.faiss for hit in hits if hit.scores.faiss is not None}
        words = {hit.row: hit.scores.bm25 for hit in hits if hit.scores.bm25 is not None}
        sparse = {hit.row: hit.scores.splade for hit in hits if hit.scores.splade is not None}
        found = self._with_exact(query, _best_first(dense), _best_first(words))
        return found._replace(sparse=_best_first(sparse))

    def _with_exact(
        self, query: ParsedQuery, dense: Mapping[int, float], words: Mapping[int, float]
    ) -> Retrieved:
        quoted = verbatim(query, list(words), self._channels.texts)
        if quoted:
            return Retrieved(quoted, dense, words, leading=quoted, is_verbatim=True)
        defining = defining_rows(query, self._channels)
        leading = leading_rows(query, defining, list(words), self._channels)
        return Retrieved(list(dict.fromkeys([*leading, *defining])), dense, words, leading)

    def dense(self, query: ParsedQuery, k: int) -> dict[int, float]:
        """Return rows by similarity to the query; none when no word of it is known."""
        vector = self._vector(query.text)
        if not vector.any():
            return {}
        return _pairs(*self._channels.vectors.search(vector, k, self._channels.mask))

    def sparse(self, query: ParsedQuery, k: int) -> dict[int, float]:
        """Return rows by SPLADE; none where it is not configured."""
        channel = self._channels.sparse
        if channel is None:
            return {}
        return _pairs(*channel.search(query.text, k, self._channels.mask))

    def words(self, query: ParsedQuery, k: int) -> dict[int, float]:
        """Return rows by BM25."""
        found = self._channels.words.search(query.terms, k, self._channels.mask, query.title)
        return _pairs(*found)

    def candidates(self, query: ParsedQuery, retrieved: Retrieved, limit: int) -> Candidates:
        """Return what is to be ranked: the best of each channel, with the scores of all."""
        k = max(CANDIDATES, limit)
        best = (
            retrieved.exact,
            islice(retrieved.dense, k),
            islice(retrieved.words, k),
            islice(retrieved.sparse, k),
        )
        listed = list(dict.fromkeys(chain.from_iterable(best)))
        rows = np.array(listed, dtype=np.int64)
        named = frozenset(retrieved.exact)
        traits = self._channels.traits.of(rows, self._channels.catalog.heads)
        found = Candidates(
            rows,
            traits,
            dense=self._similarities(query, rows, retrieved.dense),
            words=_looked_up(retrieved.words, listed),
            is_named=np.array([row in named for row in listed], dtype=np.bool_),
            sparse=_looked_up(retrieved.sparse, listed),
        )
        known = traits.table["known"]
        return found if known.all() else found.where(known)

    def _similarities(
        self, query: ParsedQuery, rows: NDArray[np.int64], known: Mapping[int, float]
    ) -> NDArray[np.float64]:
        """Return the similarity of ``rows`` to the query, unless the dense channel has no say."""
        listed = rows.tolist()
        similar = _looked_up(known, listed)
        unknown = np.array([row not in known for row in listed], dtype=np.bool_)
        if known and unknown.any():
            vector = self._vector(query.text)
            similar[unknown] = self._channels.vectors.similarities(vector, rows[unknown])
        return similar

    def _vector(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, which several steps of one search ask for."""
        if self._embedded is None or self._embedded[0] != text:
            self._embedded = (text, self._embedder.embed_query(text))
        return self._embedded[1]


def called(exact: Iterable[ChunkHead], name: str) -> list[int]:
    """Return the rows of the chunks that are meant when ``name`` is all that was asked for.

    Those are what is called so; where there are none, chunks that define it among other things, but
    not what only sounds like it.
    """
    names = {head.row: head.symbol.rpartition(".")[2] for head in exact}
    own = [row for row, its in names.items() if its == name]
    return own or [row for row, its in names.items() if its.lower() != name.lower()]


def _looked_up(scores: Mapping[int, float], rows: Sequence[int]) -> NDArray[np.float64]:
    if not scores:
        return np.zeros(len(rows))
    return np.array([scores.get(row, 0.0) for row in rows], dtype=np.float64)


def _pairs(rows: NDArray[np.int64], scores: NDArray[np.float32]) -> dict[int, float]:
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


def hit_of_record(record: ChunkRecord, score: float, **more: Any) -> SearchHit:
    """Return a hit for a stored chunk; ``more`` are further fields of it."""
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
        **more,
    )


def _reciprocal_ranks(retrieved: Retrieved) -> dict[int, float]:
    """Return the sum of ``1 / (k + rank)`` over the channels, which hits report beside their score."""
    sums: dict[int, float] = {}
    for channel in (retrieved.exact, retrieved.dense, retrieved.words, retrieved.sparse):
        for at, row in enumerate(islice(channel, CANDIDATES), start=1):
            sums[row] = sums.get(row, 0.0) + 1.0 / (RRF_K + at)
    return sums


def _hit(
    record: ChunkRecord,
    ranked: Ranked,
    rrf: float | None,
    retrieved: Retrieved,
    *,
    explain: bool,
) -> SearchHit:
    dense, words = retrieved.dense.get(record.row), retrieved.words.get(record.row)
    shown = explained(ranked, retrieved.dense, retrieved.words) if explain else None
    return hit_of_record(
        record,
        ranked.score,
        source="bm25" if dense is None and words is not None else "faiss",
        scores=ChannelScores(
            faiss=dense, bm25=words, splade=retrieved.sparse.get(record.row), rrf=rrf
        ),
        explain=shown,
    )
