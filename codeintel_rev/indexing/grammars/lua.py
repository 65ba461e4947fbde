"""Lua."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    first_child,
    text_of,
)

_FUNCTION = "function_definition"


def _named(target: Node) -> tuple[Node, tuple[str, ...]] | None:
    """Return the last name of ``a.b.c`` or ``a.b:c`` and the names before it."""
    table = target.child_by_field_name("table")
    name = target.child_by_field_name("field") or target.child_by_field_name("method")
    if table is None or name is None:
        return (target, ()) if target.type == "identifier" else None
    return name, tuple(text_of(table).split("."))


def _function(node: Node) -> Found | None:
    """Read ``function name()``; one with a colon takes its table as first argument."""
    target = node.child_by_field_name("name")
    named = _named(target) if target is not None else None
    if named is None or target is None:
        return None
    kind = "method" if target.type == "method_index_expression" else "function"
    return Found(kind, named[0], node.child_by_field_name("body"), named[1])


def _assignment(node: Node) -> Found | None:
    """Read ``name = value``; imports by ``require`` define nothing."""
    target = first_child(child_of_type(node, "variable_list"))
    value = first_child(child_of_type(node, "expression_list"))
    named = _named(target) if target is not None else None
    if named is None or value is None or (value.text or b"").startswith(b"require"):
        return None
    name, scope = named
    if value.type == _FUNCTION:
        return Found("function", name, value.child_by_field_name("body"), scope)
    return Found("constant", name, value if value.type == "table_constructor" else None, scope)


def _field(node: Node) -> Found | None:
    """Read a table's entry that holds a function."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None or value.type != _FUNCTION:
        return None
    return Found("function", name, value.child_by_field_name("body"))


def _returned_table(node: Node) -> Node | None:
    """Open ``return {...}``, what a module offers."""
    value = first_child(child_of_type(node, "expression_list"))
    return value if value is not None and value.type == "table_constructor" else None


GRAMMAR = Grammar(
    package="tree_sitter_lua",
    definitions={
        "function_declaration": _function,
        "assignment_statement": _assignment,
        "field": _field,
    },
    wrappers={"variable_declaration": ("",)},
    transparent={"return_statement": _returned_table},
)
