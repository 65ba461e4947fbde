"""Haskell."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, definition, first_child, itself


def _function(node: Node) -> Found | None:
    """Read a signature or an equation; an operator stands between its operands."""
    name = node.child_by_field_name("name") or first_child(node.child_by_field_name("names"))
    if name is None and (infix := first_child(node)) is not None and infix.type == "infix":
        name = infix.child_by_field_name("operator")
    if name is not None and name.type == "prefix_id":
        name = first_child(name)
    return Found("function", name) if name else None


def _class(node: Node) -> Found | None:
    """Read a class or an instance; the comment on its first member may stand before the body."""
    name = node.child_by_field_name("name")
    return Found("class" if node.type == "class" else "impl", name, node) if name else None


GRAMMAR = Grammar(
    package="tree_sitter_haskell",
    definitions={
        "signature": _function,
        "function": _function,
        "bind": _function,
        "data_type": definition("type"),
        "newtype": definition("type"),
        "type_synonym": definition("type"),
        "type_family": definition("type"),
        "class": _class,
        "instance": _class,
    },
    transparent=dict.fromkeys(
        ("imports", "declarations", "class_declarations", "instance_declarations"), itself
    ),
    leads=frozenset(("pragma",)),
    joins_clauses=True,
)
