"""Elixir, where every definition is a call."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    first_child,
    text_of,
)

_KINDS = {
    **dict.fromkeys(("def", "defp", "defdelegate"), "function"),
    **dict.fromkeys(("defmacro", "defmacrop", "defguard", "defguardp"), "macro"),
    "defmodule": "module",
    "defprotocol": "interface",
    "defimpl": "impl",
}
_DOCS = frozenset(("doc", "moduledoc", "typedoc"))


def _target(node: Node) -> str:
    """Return what a call calls."""
    target = node.child_by_field_name("target")
    return text_of(target) if target else ""


def _definition(node: Node) -> Found | None:
    """Read ``def name(...)`` and its like, with or without a guard."""
    kind = _KINDS.get(_target(node))
    if kind is None:
        return None
    name = first_child(child_of_type(node, "arguments"))
    while name is not None and name.type in {"call", "binary_operator"}:
        if name.type == "call":
            name = name.child_by_field_name("target")
            continue
        operator = name.child_by_field_name("operator")
        is_guard = operator is not None and operator.type == "when"
        name = name.child_by_field_name("left") if is_guard else operator
    return Found(kind, name, child_of_type(node, "do_block")) if name else None


def _doc(node: Node) -> Node | None:
    """Return the text of ``@doc`` and ``@moduledoc``."""
    call = node.child_by_field_name("operand") if node.type == "unary_operator" else None
    if call is None or call.type != "call" or _target(call) not in _DOCS:
        return None
    return child_of_type(child_of_type(call, "arguments"), "string")


GRAMMAR = Grammar(
    package="tree_sitter_elixir",
    definitions={"call": _definition},
    leads=frozenset(("unary_operator",)),
    docstring=_doc,
    joins_clauses=True,
)
