"""One search over the views of several repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from codeintel_rev.app.hit_places import placed_hits
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.retrieval.hybrid import HybridSearcher, Retrieved, hit_of_record
from codeintel_rev.retrieval.query import ParsedQuery
from codeintel_rev.retrieval.ranking import Ranked
from codeintel_rev.retrieval.strength import names_repository, strengths
from codeintel_rev.types import Mode, SearchHit

OpenSearcher = Callable[[RepositoryView], HybridSearcher]


class Part(NamedTuple):
    """One repository's share in a search."""

    view: RepositoryView
    searcher: HybridSearcher
    retrieved: Retrieved


def search_views(
    views: Sequence[RepositoryView],
    open_searcher: OpenSearcher,
    query: ParsedQuery,
    limit: int,
    mode: Mode,
    *,
    explain: bool,
) -> list[SearchHit]:
    """Return the best ``limit`` hits over all views, marked with where they come from."""
    hits = _located(views, query, limit) if query.location is not None else []
    if not hits:
        wanted = looked_at(views, limit)
        parts = []
        for view in views:
            searcher = open_searcher(view)
            parts.append(Part(view, searcher, searcher.retrieve(query, mode, wanted)))
        hits = merged(parts, query, wanted, mode, explain=explain)
    return best_hits(hits, limit)


def looked_at(views: Iterable[RepositoryView], limit: int) -> int:
    """Return how many hits are ranked for ``limit``: what several snapshots hold becomes one."""
    return limit * max((len(view.snapshots) for view in views), default=1)


def best_hits(hits: Iterable[SearchHit], limit: int) -> list[SearchHit]:
    """Return the best ``limit`` hits, ties by id."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.doc_id))[:limit]


def _located(views: Sequence[RepositoryView], query: ParsedQuery, limit: int) -> list[SearchHit]:
    assert query.location is not None
    found = []
    for view in views:
        rows = view.catalog.located(*query.location)
        rows = [row for row in rows if view.channels.mask[row]]
        records = view.catalog.hydrate(rows)
        hits = [hit_of_record(record, 1.0 / at) for at, record in enumerate(records, start=1)]
        found += placed_hits(view, hits, limit)
    return found


def merged(
    parts: Sequence[Part],
    query: ParsedQuery,
    wanted: int,
    mode: Mode = "hybrid",
    *,
    explain: bool = False,
) -> list[SearchHit]:
    """Rank each repository by itself, weigh them against each other, and read only what is shown.

    Returns at least the ``wanted`` best hits, in no order.
    """
    hits: list[SearchHit] = []
    for part, shown in _shown(parts, query, wanted, mode):
        found = part.searcher.hydrated(shown, part.retrieved, explain=explain)
        hits += placed_hits(part.view, found, wanted)
    return hits


def _shown(
    parts: Sequence[Part], query: ParsedQuery, wanted: int, mode: Mode
) -> list[tuple[Part, list[Ranked]]]:
    """Return those of each part's chunks that are among the ``wanted`` best of all.

    The strongest part comes first. A weaker one is not ranked where its factor, which only the
    score of an exact match exceeds, is below what is shown already.
    """
    found: list[tuple[Part, list[Ranked]]] = []
    best: list[float] = []
    weighted = zip(_factors(parts, query), parts, strict=True)
    for factor, part in sorted(weighted, key=lambda pair: -pair[0]):
        if len(best) == wanted and factor < best[-1] and not part.retrieved.exact:
            continue
        ranked = part.searcher.ranked(query, part.retrieved, wanted, mode, factor)
        found.append((part, ranked))
        best = sorted([*best, *(item.score for item in ranked)], reverse=True)[:wanted]
    least = best[-1] if best else 0.0
    return [(part, [item for item in ranked if item.score >= least]) for part, ranked in found]


def _factors(parts: Sequence[Part], query: ParsedQuery) -> list[float]:
    if len(parts) < 2:
        return [1.0] * len(parts)
    return strengths(
        [
            part.searcher.evidence(query, part.retrieved)._replace(
                is_named=names_repository(query.text, part.view.repository.name)
            )
            for part in parts
        ]
    )
