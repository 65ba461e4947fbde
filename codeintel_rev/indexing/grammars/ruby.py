"""Ruby."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    definition,
    first_child,
    itself,
)

_FACTORIES = frozenset((b"Struct.new", b"Class.new", b"Module.new", b"Data.define"))
_OPENING_CALLS = frozenset((b"class_methods", b"helpers", b"included", b"prepended", b"refine"))
"""Calls whose block holds the methods of the class or module around it."""


def _container(node: Node) -> Found | None:
    """Read a class or module; the comment on its first member stands before the body's node."""
    name = node.child_by_field_name("name")
    return Found(node.type, name, node) if name else None


def _assignment(node: Node) -> Found | None:
    """Read ``NAME = value``; a class made by a call has the members of its block."""
    name, value = node.child_by_field_name("left"), node.child_by_field_name("right")
    if name is None or value is None or name.type != "constant":
        return None
    block = value.child_by_field_name("block") if value.type == "call" else None
    if block is not None and _called(value) in _FACTORIES:
        return Found("class", name, block)
    return Found("constant", name)


def _called(node: Node) -> bytes:
    """Return the source of a call's receiver and method."""
    parts = node.child_by_field_name("receiver"), node.child_by_field_name("method")
    return b".".join(part.text or b"" for part in parts if part is not None)


def _call(node: Node) -> Found | None:
    """Read a method behind a word such as ``private``."""
    inner = first_child(node.child_by_field_name("arguments"))
    finder = _METHODS.get(inner.type) if inner is not None else None
    return finder(inner) if finder is not None and inner is not None else None


def _opened_call(node: Node) -> Node | None:
    """Open the block of ``included do`` and its like."""
    block = node.child_by_field_name("block")
    if block is None or _called(node) not in _OPENING_CALLS:
        return None
    return block


_METHODS = {"method": definition("function"), "singleton_method": definition("function")}

GRAMMAR = Grammar(
    package="tree_sitter_ruby",
    definitions={
        **_METHODS,
        "class": _container,
        "module": _container,
        "assignment": _assignment,
        "call": _call,
    },
    transparent={
        "call": _opened_call,
        **dict.fromkeys(("singleton_class", "body_statement", "if", "unless", "then"), itself),
        **dict.fromkeys(("elsif", "else", "begin", "rescue", "ensure"), itself),
    },
)
