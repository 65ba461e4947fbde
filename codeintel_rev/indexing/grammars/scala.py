"""Scala 2 and 3."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    body_of,
    definition,
    first_child,
    itself,
    last_child,
    text_of,
)


def _value(node: Node) -> Found | None:
    """Read a ``val`` that others refer to: an implicit one, or one named like a type."""
    name, value = node.child_by_field_name("pattern"), node.child_by_field_name("value")
    if name is None or name.type != "identifier":
        return None
    first = first_child(node)
    words = (first.text or b"").split() if first is not None and first.type == "modifiers" else []
    if b"implicit" not in words and not text_of(name)[0].isupper():
        return None
    is_instance = value is not None and value.type == "instance_expression"
    return Found("constant", name, last_child(value) if is_instance and value else None)


GRAMMAR = Grammar(
    package="tree_sitter_scala",
    definitions={
        "class_definition": definition("class"),
        "object_definition": definition("class"),
        "trait_definition": definition("trait"),
        "enum_definition": definition("enum"),
        "simple_enum_case": definition("enum_member"),
        "full_enum_case": definition("enum_member"),
        "package_object": definition("module"),
        "function_definition": definition("function"),
        "function_declaration": definition("function"),
        "type_definition": definition("type"),
        "given_definition": definition("class"),
        "val_definition": _value,
    },
    transparent={
        "extension_definition": itself,
        "enum_case_definitions": itself,
        "package_clause": body_of,
    },
    class_constants=True,
)
