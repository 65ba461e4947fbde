"""What the outliner must know about a language's syntax tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tree_sitter import Node


class Found(NamedTuple):
    """A definition seen in a syntax node."""

    kind: str
    name: Node
    """The node whose text is the name."""
    body: Node | None = None
    """The node whose children are the members or the statements."""
    scope: tuple[str, ...] = ()
    """Names that stand before the name in its path, such as a method's receiver."""


Finder = Callable[[Node], Found | None]
"""Reads a node of one type; ``None`` when this one defines nothing."""

Opener = Callable[[Node], Node | None]
"""Returns the node whose children stand in place of the given one, or ``None``."""


def nothing(_: Node) -> None:
    """Open no node."""


class Grammar(NamedTuple):
    """One language's node types by the part that they play; absent types are plain code."""

    package: str
    """The wheel's module."""
    definitions: Mapping[str, Finder]
    entry: str = "language"
    """The function of that module which returns the language."""
    wrappers: Mapping[str, tuple[str, ...]] = {}
    """A node around one definition -> the fields that may hold it, ``""`` for its last child."""
    transparent: Mapping[str, Opener] = {}
    """A node that groups siblings without naming them."""
    leads: frozenset[str] = frozenset()
    """What stands before a definition and belongs to it, besides comments."""
    docstring: Opener = nothing
    """Returns the string in a statement that documents what it opens or stands before."""
    class_constants: bool = False
    """Whether a constant of a class is told by its keywords, not by a name in capitals."""
    joins_clauses: bool = False
    """Whether neighbours of one name are one definition, given case by case."""
    readable: Callable[[bytes], bytes] = bytes
    """Rewrites what the parser cannot read; the length stays."""

    def unwrap(self, node: Node) -> Node:
        """Return the definition inside wrappers such as decorators and ``export``."""
        while (fields := self.wrappers.get(node.type)) is not None:
            inner = _wrapped(node, fields)
            if inner is None:
                break
            node = inner
        return node

    def find(self, node: Node) -> Found | None:
        """Return the definition in an unwrapped node; a module without body defines nothing."""
        finder = self.definitions.get(node.type)
        found = finder(node) if finder is not None else None
        return None if found and found.kind == "module" and found.body is None else found

    def opened(self, node: Node) -> Node | None:
        """Return the node whose children stand in place of ``node``, if it only groups them."""
        if node.type == "ERROR":
            return node
        opener = self.transparent.get(node.type)
        return opener(node) if opener is not None else None


def definition(kind: str, name: str = "name", body: str = "body") -> Finder:
    """Return the finder of a node that holds its name and body in fields."""

    def find(node: Node) -> Found | None:
        named = node.child_by_field_name(name)
        return Found(kind, named, node.child_by_field_name(body)) if named else None

    return find


def itself(node: Node) -> Node:
    """Open a node whose own children are the siblings."""
    return node


def body_of(node: Node) -> Node | None:
    """Open a node whose ``body`` holds the siblings."""
    return node.child_by_field_name("body")


def _wrapped(node: Node, fields: tuple[str, ...]) -> Node | None:
    """Return the first of ``fields`` that ``node`` has; ``""`` is its last named child."""
    for field in fields:
        inner = node.child_by_field_name(field) if field else last_child(node)
        if inner is not None:
            return inner
    return None


def first_child(node: Node | None) -> Node | None:
    """Return a node's first named child, if it has any."""
    return node.named_child(0) if node is not None and node.named_child_count else None


def last_child(node: Node) -> Node | None:
    """Return a node's last named child, if it has any."""
    count = node.named_child_count
    return node.named_child(count - 1) if count else None


def child_of_type(node: Node | None, kind: str) -> Node | None:
    """Return a node's first child of one type, keywords included, if it has any."""
    children = node.children if node is not None else ()
    return next((child for child in children if child.type == kind), None)


def text_of(node: Node) -> str:
    """Return a node's source text."""
    return (node.text or b"").decode()
