"""Go."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    definition,
    first_child,
    itself,
    text_of,
)

_TYPE_KINDS = {"struct_type": "struct", "interface_type": "interface"}


def _method(node: Node) -> Found | None:
    """Read a method; its path starts with the receiver's type."""
    name, receiver = node.child_by_field_name("name"), node.child_by_field_name("receiver")
    if name is None or receiver is None:
        return None
    parameter = first_child(receiver)
    base = parameter.child_by_field_name("type") if parameter else None
    while base is not None and base.type not in {"type_identifier", "qualified_type"}:
        base = first_child(base)
    scope = (text_of(base),) if base else ()
    return Found("method", name, node.child_by_field_name("body"), scope)


def _type(node: Node) -> Found | None:
    """Read one type of a declaration."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name is None:
        return None
    return Found(_TYPE_KINDS.get(value.type, "type") if value else "type", name, value)


def _constant(node: Node) -> Found | None:
    """Read a constant or variable; the blank one only checks a type."""
    name = node.child_by_field_name("name")
    return Found("constant", name) if name is not None and name.text != b"_" else None


GRAMMAR = Grammar(
    package="tree_sitter_go",
    definitions={
        "function_declaration": definition("function"),
        "method_declaration": _method,
        "type_spec": _type,
        "type_alias": _type,
        "const_spec": _constant,
        "var_spec": _constant,
    },
    transparent=dict.fromkeys(
        ("type_declaration", "const_declaration", "var_declaration", "var_spec_list"), itself
    ),
)
