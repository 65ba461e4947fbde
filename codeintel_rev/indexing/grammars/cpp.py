"""C++."""

from __future__ import annotations

from codeintel_rev.indexing.grammars import c
from codeintel_rev.indexing.grammars.grammar import Grammar, body_of, definition

GRAMMAR = Grammar(
    package="tree_sitter_cpp",
    definitions={
        **c.DEFINITIONS,
        "class_specifier": c.tag,
        "field_declaration": c.DEFINITIONS["declaration"],
        "alias_declaration": definition("type", body="type"),
        "concept_definition": definition("type"),
        "namespace_definition": definition("module"),
    },
    wrappers={**c.GRAMMAR.wrappers, "template_declaration": ("",)},
    transparent={**c.GRAMMAR.transparent, "namespace_definition": body_of},
    leads=frozenset(("access_specifier",)),
)
