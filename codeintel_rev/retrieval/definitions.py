"""Rows that define what a query names."""

from __future__ import annotations

from codeintel_rev.retrieval.channels import Channels
from codeintel_rev.retrieval.query import ParsedQuery, belongs

LIMIT = 30
"""Definitions taken for each name."""

_QUALIFIED_LIMIT = 200
"""Definitions looked at for one that belongs to what was named before it."""


def defining_rows(query: ParsedQuery, channels: Channels) -> list[int]:
    """Return the rows that define the names of a query."""
    found: dict[int, None] = {}
    told: set[str] = set()
    for name in query.names:
        rows = [] if name in told else _defining(name, channels)
        found |= dict.fromkeys(rows)
        if rows:
            told.update(name.split("."))
        if found and query.is_identifier:
            break
    for name, kinds in query.mentions:
        found |= dict.fromkeys(channels.within(channels.catalog.of_kinds(name, kinds, LIMIT)))
    return list(found)


def _defining(name: str, channels: Channels) -> list[int]:
    """Return the rows that define ``name``: of ``Foo.bar`` those that belong to a ``Foo``."""
    catalog = channels.catalog
    owner, _, own = name.rpartition(".")
    rows = channels.within(catalog.definitions(own, _QUALIFIED_LIMIT if owner else LIMIT))
    if owner:
        heads = catalog.heads(rows)
        rows = [r for r in rows if r in heads and belongs(owner, heads[r].symbol, heads[r].uri)]
    return rows[:LIMIT]
