"""CSS: a section a rule, named by its selector."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, first_child


def _rule(node: Node) -> Found | None:
    """Read a rule or a set of keyframes; what comes first names it."""
    name = first_child(node)
    return Found("section", name) if name else None


GRAMMAR = Grammar(
    package="tree_sitter_css",
    definitions={"rule_set": _rule, "keyframes_statement": _rule},
)
