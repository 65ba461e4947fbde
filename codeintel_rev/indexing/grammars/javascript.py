"""JavaScript with JSX, and what TypeScript shares with it."""

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

_FUNCTIONS = frozenset(("arrow_function", "function_expression", "generator_function", "function"))
_MODULE_OBJECTS = frozenset(("exports", "module.exports"))


def _valued(name: Node, value: Node | None, scope: tuple[str, ...] = ()) -> Found | None:
    """Read a name bound to a function, a class, an object or another value."""
    if value is None:
        return None
    if value.type in _FUNCTIONS:
        return Found("function", name, value.child_by_field_name("body"), scope)
    if value.type == "class":
        return Found("class", name, value.child_by_field_name("body"), scope)
    return Found("constant", name, value if value.type == "object" else None, scope)


def _declarator(node: Node) -> Found | None:
    """Read ``name = value`` of a declaration; imports by ``require`` define nothing."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None or name.type != "identifier":
        return None
    if value.type == "call_expression" and (value.text or b"").startswith(b"require("):
        return None
    return _valued(name, value)


def _assigned(node: Node) -> tuple[Node, Node] | None:
    """Return target and value of an assignment statement."""
    inner = first_child(node)
    if inner is None or inner.type != "assignment_expression":
        return None
    left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
    return (left, right) if left and right else None


def _statement(node: Node) -> Found | None:
    """Read ``Type.prototype.name = function``, ``exports.name = ...``, ``a.b = class``."""
    pair = _assigned(node)
    if pair is None or pair[0].type != "member_expression":
        return None
    name, target = pair[0].child_by_field_name("property"), pair[0].child_by_field_name("object")
    if name is None or target is None:
        return None
    owner = text_of(target)
    if owner in _MODULE_OBJECTS:
        return _valued(name, pair[1])
    if owner == "module":
        own_name = pair[1].child_by_field_name("name")
        return _valued(own_name, pair[1]) if own_name else None
    found = _valued(name, pair[1], tuple(owner.removesuffix(".prototype").split(".")))
    if found is None or found.kind == "constant" or not owner.replace(".", "").isidentifier():
        return None
    return found._replace(kind="method") if owner.endswith(".prototype") else found


def _field(node: Node) -> Found | None:
    """Read a class field or an object's entry that holds a function."""
    name = node.child_by_field_name("name") or node.child_by_field_name("property")
    name = name or node.child_by_field_name("key")
    found = _valued(name, node.child_by_field_name("value")) if name else None
    return found if found and found.kind == "function" else None


def exported_object(node: Node) -> Node | None:
    """Open ``module.exports = {...}``."""
    pair = _assigned(node)
    opens = pair and pair[1].type == "object" and text_of(pair[0]) in _MODULE_OBJECTS
    return pair[1] if pair and opens else None


GRAMMAR = Grammar(
    package="tree_sitter_javascript",
    definitions={
        "function_declaration": definition("function"),
        "generator_function_declaration": definition("function"),
        "class_declaration": definition("class"),
        "method_definition": definition("method"),
        "variable_declarator": _declarator,
        "expression_statement": _statement,
        "field_definition": _field,
        "pair": _field,
    },
    wrappers={"export_statement": ("declaration", "value")},
    transparent={
        "lexical_declaration": itself,
        "variable_declaration": itself,
        "expression_statement": exported_object,
        "object": itself,
    },
    leads=frozenset(("decorator",)),
)
