"""What documents a definition of a syntax tree: the strings and comments in it and before it."""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from codeintel_rev.indexing.docs import comment_doc, docstring_doc
from codeintel_rev.indexing.grammars.grammar import Found, Grammar, first_child, text_of
from codeintel_rev.indexing.lead import COMMENTS


def definition_doc(grammar: Grammar, found: Found, lead: Sequence[Node]) -> str:
    """Return the docstring of a definition, else the prose of the comments before it.

    ``lead`` holds what stands before it and belongs to it, in order.
    """
    first = first_child(found.body)
    opening = () if first is None else (first,)
    for node in (*opening, *lead):
        if (literal := grammar.docstring(node)) is not None:
            return docstring_doc(text_of(literal))
    comments = [text_of(node) for node in lead if node.type in COMMENTS]
    if not comments and first is not None and first.type in COMMENTS:
        comments = [text for text in (text_of(first),) if text.startswith(("//!", "/*!"))]
    return comment_doc(comments)
