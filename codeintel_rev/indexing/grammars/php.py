"""PHP, and the HTML around it."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    definition,
    first_child,
    itself,
)


def _constant(node: Node) -> Found | None:
    """Read ``const NAME = value``."""
    name = first_child(child_of_type(node, "const_element"))
    return Found("constant", name) if name else None


def _anonymous_class(node: Node) -> Node | None:
    """Open ``return new class {...}``, the whole of many a file."""
    created = child_of_type(node, "object_creation_expression")
    return body.child_by_field_name("body") if (body := first_child(created)) else None


GRAMMAR = Grammar(
    package="tree_sitter_php",
    entry="language_php",
    definitions={
        "namespace_definition": definition("module"),
        "class_declaration": definition("class"),
        "interface_declaration": definition("interface"),
        "trait_declaration": definition("trait"),
        "enum_declaration": definition("enum"),
        "enum_case": definition("enum_member"),
        "method_declaration": definition("method"),
        "function_definition": definition("function"),
        "const_declaration": _constant,
    },
    transparent={
        "if_statement": itself,
        "else_clause": itself,
        "compound_statement": itself,
        "return_statement": _anonymous_class,
    },
)
