"""Zig, where a type is a value."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, first_child, last_child

_TYPES = {
    "struct_declaration": "struct",
    "union_declaration": "struct",
    "opaque_declaration": "struct",
    "enum_declaration": "enum",
    "error_set_declaration": "type",
}


def _variable(node: Node) -> Found | None:
    """Read ``const Name = value``; imports, ``const Name = other.Name`` too, define nothing."""
    name, value = first_child(node), last_child(node)
    if name is None or value is None or name == value or name.text == b"_":
        return None
    if (kind := _TYPES.get(value.type)) is not None:
        return Found(kind, name, value)
    source = value.text or b""
    if source.startswith(b"@import") or source.endswith(b"." + (name.text or b"")):
        return None
    return Found("constant", name)


def _function(node: Node) -> Found | None:
    """Read a function; one that returns a new type is that type, with the type's members."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    returned = last_child(body) if body else None
    while returned is not None and returned.type in {"expression_statement", "return_expression"}:
        returned = first_child(returned)
    kind = _TYPES.get(returned.type) if returned is not None else None
    if name is None:
        return None
    return Found(kind, name, returned) if kind else Found("function", name, body)


GRAMMAR = Grammar(
    package="tree_sitter_zig",
    definitions={"variable_declaration": _variable, "function_declaration": _function},
)
