"""C#."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    definition,
    itself,
)


def _field(node: Node) -> Found | None:
    """Read a ``const`` or ``static readonly`` field."""
    words = {child.text for child in node.named_children if child.type == "modifier"}
    if b"const" not in words and not words >= {b"static", b"readonly"}:
        return None
    declared = child_of_type(child_of_type(node, "variable_declaration"), "variable_declarator")
    name = declared.child_by_field_name("name") if declared else None
    return Found("constant", name) if name else None


GRAMMAR = Grammar(
    package="tree_sitter_c_sharp",
    definitions={
        "namespace_declaration": definition("module"),
        "class_declaration": definition("class"),
        "record_declaration": definition("class"),
        "struct_declaration": definition("struct"),
        "interface_declaration": definition("interface"),
        "enum_declaration": definition("enum"),
        "enum_member_declaration": definition("enum_member"),
        "delegate_declaration": definition("type"),
        "method_declaration": definition("method"),
        "constructor_declaration": definition("method"),
        "operator_declaration": definition("method", name="operator"),
        "local_function_statement": definition("function"),
        "property_declaration": definition("property", body="accessors"),
        "field_declaration": _field,
    },
    wrappers={"global_statement": ("",)},
    transparent=dict.fromkeys(
        ("preproc_if", "preproc_else", "preproc_elif", "declaration_list"), itself
    ),
    class_constants=True,
)
