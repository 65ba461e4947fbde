"""Rust."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, body_of, definition


def _impl(node: Node) -> Found | None:
    """Read an ``impl`` block, named by the type that it extends."""
    name = node.child_by_field_name("type")
    while name is not None and name.type != "type_identifier":
        inner = name.child_by_field_name("type") or name.child_by_field_name("name")
        if inner is None:
            break
        name = inner
    return Found("impl", name, node.child_by_field_name("body")) if name else None


GRAMMAR = Grammar(
    package="tree_sitter_rust",
    definitions={
        "function_item": definition("function"),
        "function_signature_item": definition("function"),
        "struct_item": definition("struct"),
        "union_item": definition("struct"),
        "enum_item": definition("enum"),
        "enum_variant": definition("enum_member"),
        "trait_item": definition("trait"),
        "impl_item": _impl,
        "mod_item": definition("module"),
        "const_item": definition("constant"),
        "static_item": definition("constant"),
        "type_item": definition("type"),
        "macro_definition": definition("macro"),
    },
    transparent={"foreign_mod_item": body_of},
    leads=frozenset(("attribute_item",)),
)
