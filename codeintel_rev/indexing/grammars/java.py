"""Java."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, definition, first_child, itself


def _constant(node: Node) -> Found | None:
    """Read a ``static final`` field, or any field of an interface."""
    declarator = node.child_by_field_name("declarator")
    name = declarator.child_by_field_name("name") if declarator else None
    first = first_child(node)
    if name is None or first is None:
        return None
    if node.type == "field_declaration":
        modifiers = first.text or b"" if first.type == "modifiers" else b""
        if b"static" not in modifiers or b"final" not in modifiers:
            return None
    return Found("constant", name)


GRAMMAR = Grammar(
    package="tree_sitter_java",
    definitions={
        "class_declaration": definition("class"),
        "record_declaration": definition("class"),
        "interface_declaration": definition("interface"),
        "annotation_type_declaration": definition("interface"),
        "enum_declaration": definition("enum"),
        "enum_constant": definition("enum_member"),
        "method_declaration": definition("method"),
        "constructor_declaration": definition("method"),
        "compact_constructor_declaration": definition("method"),
        "annotation_type_element_declaration": definition("method"),
        "field_declaration": _constant,
        "constant_declaration": _constant,
    },
    transparent={"enum_body_declarations": itself},
)
