"""Python."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, definition, first_child, itself


def _assignment(node: Node) -> Found | None:
    """Read ``name = value`` and ``name: type = value``."""
    inner = first_child(node)
    if inner is None or inner.type != "assignment":
        return None
    left = inner.child_by_field_name("left")
    if left is None or left.type != "identifier" or not inner.child_by_field_name("right"):
        return None
    return Found("constant", left)


def _type_alias(node: Node) -> Found | None:
    """Read ``type X[T] = ...``."""
    left = node.child_by_field_name("left")
    while left is not None and left.type != "identifier":
        left = first_child(left)
    return Found("type", left) if left else None


def _docstring(node: Node) -> Node | None:
    """Return the string that is a statement of its own."""
    literal = first_child(node) if node.type == "expression_statement" else None
    return literal if literal is not None and literal.type == "string" else None


GRAMMAR = Grammar(
    package="tree_sitter_python",
    definitions={
        "function_definition": definition("function"),
        "class_definition": definition("class"),
        "expression_statement": _assignment,
        "type_alias_statement": _type_alias,
    },
    wrappers={"decorated_definition": ("definition",)},
    transparent=dict.fromkeys(
        (
            "block",
            "if_statement",
            "elif_clause",
            "else_clause",
            "try_statement",
            "except_clause",
            "except_group_clause",
            "finally_clause",
            "with_statement",
        ),
        itself,
    ),
    docstring=_docstring,
)
