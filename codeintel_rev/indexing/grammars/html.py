"""HTML: cut between elements, named where they have an id."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    first_child,
    itself,
    last_child,
)


def _element(node: Node) -> Found | None:
    """Read an element with an ``id``."""
    tag = first_child(node)
    for attribute in tag.named_children if tag is not None else ():
        name = first_child(attribute)
        if name is not None and name.text == b"id":
            value = last_child(attribute)
            inner = first_child(value) or value
            return Found("section", inner) if inner is not None and inner != name else None
    return None


GRAMMAR = Grammar(
    package="tree_sitter_html",
    definitions=dict.fromkeys(("element", "script_element", "style_element"), _element),
    transparent={"element": itself},
)
