"""Kotlin."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    definition,
    first_child,
)


def _class(node: Node) -> Found | None:
    """Read a class, an interface or an enum; a word in front tells which."""
    name = node.child_by_field_name("name")
    if name is None:
        return None
    kind = "class" if child_of_type(node, "class") else "interface"
    modifiers = child_of_type(node, "modifiers")
    if modifiers is not None and b"enum" in (modifiers.text or b"").split():
        kind = "enum"
    body = child_of_type(node, "class_body") or child_of_type(node, "enum_class_body")
    return Found(kind, name, body)


def _object(node: Node) -> Found | None:
    """Read ``object Name``."""
    name = node.child_by_field_name("name")
    return Found("class", name, child_of_type(node, "class_body")) if name else None


def _function(node: Node) -> Found | None:
    """Read a function; its body is the block, if it has one."""
    name, body = node.child_by_field_name("name"), child_of_type(node, "function_body")
    return Found("function", name, first_child(body)) if name else None


def _constructor(node: Node) -> Found | None:
    """Read a secondary constructor, named by its keyword."""
    name = child_of_type(node, "constructor")
    return Found("method", name, child_of_type(node, "block")) if name else None


def _property(node: Node) -> Found | None:
    """Read ``val`` and ``var``; one with a getter is computed."""
    name = first_child(child_of_type(node, "variable_declaration"))
    if name is None:
        return None
    return Found("property" if child_of_type(node, "getter") else "constant", name)


def _companion(node: Node) -> Node | None:
    """Open a companion object: its members are called by the name of the class."""
    return child_of_type(node, "class_body")


def _enum_entry(node: Node) -> Found | None:
    """Read a value of an enum."""
    name = child_of_type(node, "identifier")
    return Found("enum_member", name, child_of_type(node, "class_body")) if name else None


GRAMMAR = Grammar(
    package="tree_sitter_kotlin",
    definitions={
        "class_declaration": _class,
        "object_declaration": _object,
        "function_declaration": _function,
        "secondary_constructor": _constructor,
        "property_declaration": _property,
        "type_alias": definition("type", name="type"),
        "enum_entry": _enum_entry,
    },
    wrappers={"annotated_expression": ("",)},
    transparent={"companion_object": _companion},
)
