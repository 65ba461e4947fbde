"""C, and what C++ shares with it."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Finder,
    Found,
    Grammar,
    definition,
    itself,
    last_child,
    text_of,
)

_NAMES = frozenset(
    ("identifier", "field_identifier", "type_identifier", "destructor_name", "operator_name")
)
_TAG_KINDS = {
    "struct_specifier": "struct",
    "union_specifier": "struct",
    "class_specifier": "class",
    "enum_specifier": "enum",
}


def declared_name(node: Node | None) -> tuple[Node, tuple[str, ...], bool] | None:
    """Follow a declarator to its name, the scopes before it, and whether it is a function's."""
    scope: list[str] = []
    is_function = False
    while node is not None and node.type not in _NAMES:
        is_function = is_function or node.type == "function_declarator"
        if node.type == "qualified_identifier":
            part = node.child_by_field_name("scope")
            part = part and (part.child_by_field_name("name") or part)
            if part:
                scope.append(text_of(part))
        inner = node.child_by_field_name("declarator") or node.child_by_field_name("name")
        node = inner or last_child(node)
    return (node, tuple(scope), is_function) if node else None


def tag(node: Node) -> Found | None:
    """Read a struct, union, class or enum that has a body."""
    named, body = declared_name(node.child_by_field_name("name")), node.child_by_field_name("body")
    if named is None or body is None:
        return None
    return Found(_TAG_KINDS[node.type], named[0], body, named[1])


def _function(node: Node) -> Found | None:
    """Read a function; a class behind an export macro looks like one and is told apart."""
    declared = declared_name(node.child_by_field_name("declarator"))
    if declared is None:
        return None
    name, scope, is_function = declared
    body, returns = node.child_by_field_name("body"), node.child_by_field_name("type")
    if not is_function and returns is not None and returns.type in _TAG_KINDS:
        return Found(_TAG_KINDS[returns.type], name, body, scope)
    return Found("method" if scope else "function", name, body, scope)


def _declaration(node: Node) -> Found | None:
    """Read a type defined in passing, else a variable with a value."""
    kind = node.child_by_field_name("type")
    found = tag(kind) if kind is not None and kind.type in _TAG_KINDS else None
    declarator = node.child_by_field_name("declarator")
    if found or declarator is None or declarator.type != "init_declarator":
        return found
    declared = declared_name(declarator)
    return Found("constant", declared[0], scope=declared[1]) if declared else None


def _typedef(node: Node) -> Found | None:
    """Read ``typedef``; one of a body has that body's kind."""
    declared = declared_name(node.child_by_field_name("declarator"))
    if declared is None:
        return None
    base = node.child_by_field_name("type")
    body = base.child_by_field_name("body") if base else None
    kind = _TAG_KINDS.get(base.type, "type") if base is not None and body else "type"
    return Found(kind, declared[0], body)


DEFINITIONS: dict[str, Finder] = {
    "function_definition": _function,
    "declaration": _declaration,
    "type_definition": _typedef,
    "struct_specifier": tag,
    "union_specifier": tag,
    "enum_specifier": tag,
    "enumerator": definition("enum_member"),
    "preproc_def": definition("macro"),
    "preproc_function_def": definition("macro"),
}

GRAMMAR = Grammar(
    package="tree_sitter_c",
    definitions=DEFINITIONS,
    wrappers={"linkage_specification": ("body",)},
    transparent={
        "preproc_if": itself,
        "preproc_ifdef": itself,
        "preproc_else": itself,
        "preproc_elif": itself,
        "preproc_elifdef": itself,
        "declaration_list": itself,
    },
)
