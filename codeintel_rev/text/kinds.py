"""Which kind of definition a bare name means first (pure)."""

from __future__ import annotations

TYPES = frozenset({"class", "struct", "interface", "enum", "trait", "type"})
"""Kinds of definition that name what others are instances of."""

FUNCTIONS = frozenset({"function", "macro", "method"})
"""Kinds of definition that are called."""

_LAST = frozenset({"impl", "section", "lines", "block"})


def definition_order(kind: str) -> int:
    """Return 0 for types, 1 for functions and the like, 2 for what only carries the name.

    A class stands before its constructors, a struct before the ``impl`` blocks that extend it.
    """
    return 0 if kind in TYPES else 2 if kind in _LAST else 1
