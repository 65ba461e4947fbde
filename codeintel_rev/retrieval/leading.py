"""Rows that are all that a query asks for.

The heirs of a type, a name said in words, a default, or where a name stands that nothing defines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from codeintel_rev.retrieval.channels import Channels
from codeintel_rev.retrieval.default_values import telling_default
from codeintel_rev.retrieval.definitions import LIMIT
from codeintel_rev.retrieval.heirs import telling_heirs
from codeintel_rev.retrieval.query import ParsedQuery
from codeintel_rev.retrieval.signals import query_facts
from codeintel_rev.retrieval.traits import is_of_test
from codeintel_rev.text.kinds import TYPES

_SPELLED_LIMIT = 5
"""Definitions of the name that a query says in words; what is defined more often may be mere words."""

_HOLDING_ROWS = 50
"""Rows that are read in search of a name that nothing defines."""

_DEFAULT_ROWS = 100
"""Rows that are read in search of a default."""


def leading_rows(
    query: ParsedQuery, defining: Sequence[int], rows: Sequence[int], channels: Channels
) -> list[int]:
    """Return what stands before all else, where the query asks for one thing that can be told.

    ``defining`` are the rows that define what it names; ``rows`` hold its words, best first.
    """
    if query.is_identifier:
        return [] if defining else _holding(query.names[0], rows, channels)
    return (
        _heirs(query, rows, channels)
        or _spelled(query, channels)
        or _defaults(query, rows, channels)
    )


def _holding(name: str, rows: Sequence[int], channels: Channels) -> list[int]:
    """Return those of ``rows`` in whose text the last part of a name stands as it is written."""
    found = re.compile(rf"(?<![\w$]){re.escape(name.rpartition('.')[2])}(?![\w$])")
    texts = channels.texts.texts(rows[:_HOLDING_ROWS])
    holding = {row for row, text in texts if found.search(text.decode("utf-8", "replace"))}
    return [row for row in rows if row in holding]


def _heirs(query: ParsedQuery, rows: Sequence[int], channels: Channels) -> list[int]:
    """Return the type whose heirs the query asks for, if it does, and those of ``rows`` that are."""
    if query.heirs_of is None:
        return []
    heirs = telling_heirs(query.heirs_of, channels.texts.texts(rows))
    base = channels.catalog.of_kinds(query.heirs_of, TYPES, LIMIT)
    return list(dict.fromkeys([*channels.within(base), *heirs]))


def _spelled(query: ParsedQuery, channels: Channels) -> list[int]:
    """Return the rows that define the name which the query says in words; no test's by chance.

    Words that are the name of many things are no name: none then.
    """
    catalog = channels.catalog
    found = chain.from_iterable(
        catalog.definitions(name, _SPELLED_LIMIT + 1) for name in query.spelled
    )
    rows = channels.within(dict.fromkeys(found))
    if not rows or len(rows) > _SPELLED_LIMIT:
        return []
    heads = catalog.heads(rows)
    wants_tests = query_facts(query.terms, query.title).wants_tests
    return [row for row in rows if row in heads and (wants_tests or not is_of_test(heads[row]))]


def _defaults(query: ParsedQuery, rows: Sequence[int], channels: Channels) -> list[int]:
    """Return those of ``rows`` that tell the default which the query asks for, if it does."""
    if not query.default_of:
        return []
    looked_at = rows[:_DEFAULT_ROWS]
    heads = channels.catalog.heads(looked_at)
    return telling_default(query.default_of, heads, channels.texts.texts(looked_at))
