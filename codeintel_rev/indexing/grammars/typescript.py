"""TypeScript."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars import javascript
from codeintel_rev.indexing.grammars.grammar import Found, Grammar, definition, first_child


def _statement(node: Node) -> Node | None:
    """Open ``namespace N {...}``, which stands in a statement, and ``module.exports = {...}``."""
    inner = first_child(node)
    if inner is not None and inner.type == "internal_module":
        return node
    return javascript.exported_object(node)


def _enum_member(node: Node) -> Found | None:
    """Read a value of an enum that stands for itself."""
    parent = node.parent
    return Found("enum_member", node) if parent is not None and parent.type == "enum_body" else None


GRAMMAR = Grammar(
    package="tree_sitter_typescript",
    entry="language_typescript",
    definitions={
        **javascript.GRAMMAR.definitions,
        "abstract_class_declaration": definition("class"),
        "abstract_method_signature": definition("method"),
        "function_signature": definition("function"),
        "public_field_definition": javascript.GRAMMAR.definitions["field_definition"],
        "interface_declaration": definition("interface"),
        "enum_declaration": definition("enum"),
        "enum_assignment": definition("enum_member"),
        "property_identifier": _enum_member,
        "type_alias_declaration": definition("type", body="value"),
        "internal_module": definition("module"),
        "module": definition("module"),
    },
    wrappers={**javascript.GRAMMAR.wrappers, "ambient_declaration": ("",)},
    transparent={**javascript.GRAMMAR.transparent, "expression_statement": _statement},
    leads=javascript.GRAMMAR.leads,
)
