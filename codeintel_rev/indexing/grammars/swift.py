"""Swift."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    definition,
    text_of,
)

_KINDS = {"class": "class", "struct": "struct", "enum": "enum", "actor": "class"}


def _type(node: Node) -> Found | None:
    """Read a type, or an extension, which bears the name of the type without arguments."""
    keyword, name = node.child_by_field_name("declaration_kind"), node.child_by_field_name("name")
    if keyword is None or name is None:
        return None
    body = node.child_by_field_name("body")
    kind = _KINDS.get(keyword.type, "impl")
    if name.type != "user_type":
        return Found(kind, name, body)
    *scope, last = (part for part in name.named_children if part.type == "type_identifier")
    return Found(kind, last, body, tuple(map(text_of, scope)))


def _property(node: Node) -> Found | None:
    """Read a computed property, else a value of the file or of a type as a whole."""
    pattern = node.child_by_field_name("name")
    name = pattern.child_by_field_name("bound_identifier") if pattern else None
    if name is None:
        return None
    if (computed := node.child_by_field_name("computed_value")) is not None:
        return Found("property", name, computed)
    is_shared = node.parent is not None and node.parent.type == "source_file"
    if (modifiers := child_of_type(node, "modifiers")) is not None:
        is_shared |= b"static" in (modifiers.text or b"").split()
    return Found("constant", name) if is_shared else None


GRAMMAR = Grammar(
    package="tree_sitter_swift",
    definitions={
        "class_declaration": _type,
        "protocol_declaration": definition("interface"),
        "function_declaration": definition("function"),
        "protocol_function_declaration": definition("function"),
        "init_declaration": definition("method"),
        "typealias_declaration": definition("type"),
        "property_declaration": _property,
        "enum_entry": definition("enum_member"),
    },
    class_constants=True,
)
