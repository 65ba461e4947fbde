"""What holds a search back, told from what was asked and from what there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codeintel_rev.app.asked_place import missing_place
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.snapshot_choice import names_snapshots
from codeintel_rev.retrieval.query import ParsedQuery
from codeintel_rev.retrieval.term_weights import MAX_TERMS
from codeintel_rev.types import Mode, Scope

EMPTY: Final = "scope_empty"
REDUCED: Final = "scope_reduced"
TRIMMED: Final = "query_trimmed"
LEFT_OUT: Final = "hydration_error"
"""A hit that cannot be read is left out."""


def held_back(
    query: ParsedQuery, mode: Mode, scope: Scope | None, selected: Sequence[RepositoryView | None]
) -> list[str]:
    """Return words for ``limits``; ``selected`` has ``None`` for who holds no snapshot in scope."""
    views = [view for view in selected if view is not None and view.channels.mask.any()]
    if not views:
        return [EMPTY]
    words = [word for view in views for word in damage(view)]
    if _names_repositories(scope) and names_snapshots(scope) and None in selected:
        words.append(REDUCED)
    if mode in ("hybrid", "lexical") and not query.location and len(set(query.terms)) > MAX_TERMS:
        words.append(TRIMMED)
    return words + missing_place(query, views)


def damage(view: RepositoryView) -> tuple[str, ...]:
    """Return what could not be used of a repository up to now."""
    return (*view.limits, LEFT_OUT) if view.catalog.has_left_out else view.limits


def _names_repositories(scope: Scope | None) -> bool:
    """Return whether somebody expects each of the repositories to be searched."""
    return scope is not None and scope.repos is not None
