"""SQL: what ``CREATE`` makes."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Finder, Found, Grammar, child_of_type, text_of


def _created(kind: str) -> Finder:
    """Return the finder of an object whose first reference is its own name."""

    def find(node: Node) -> Found | None:
        reference = child_of_type(node, "object_reference")
        name = reference.child_by_field_name("name") if reference else None
        schema = reference.child_by_field_name("schema") if reference else None
        return Found(kind, name, scope=(text_of(schema),) if schema else ()) if name else None

    return find


GRAMMAR = Grammar(
    package="tree_sitter_sql",
    definitions={
        "create_table": _created("struct"),
        "create_view": _created("struct"),
        "create_materialized_view": _created("struct"),
        "create_type": _created("type"),
        "create_function": _created("function"),
        "create_procedure": _created("function"),
        "create_trigger": _created("function"),
    },
    wrappers={"statement": ("",)},
)
