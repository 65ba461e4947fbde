"""HCL, with the addresses of Terraform."""

from __future__ import annotations

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, first_child, itself, text_of

_PREFIXES = {"resource": "", "variable": "var"}
"""What an address says in place of a block's first word, where that differs."""


def _block(node: Node) -> Found | None:
    """Read a block, named by the address by which others refer to it."""
    word = first_child(node)
    if word is None or word.type != "identifier":
        return None
    labels = [
        child for child in node.named_children[1:] if child.type in {"string_lit", "identifier"}
    ]
    if not labels:
        return Found("section", word)
    head = _PREFIXES.get(text_of(word), text_of(word))
    scope = (head, *(text_of(label).strip('"') for label in labels[:-1]))
    return Found("section", labels[-1], scope=tuple(filter(None, scope)))


GRAMMAR = Grammar(
    package="tree_sitter_hcl",
    definitions={"block": _block},
    transparent={"body": itself},
)
