"""Rust."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from tree_sitter import Language, Node, Parser

from codeintel_rev.indexing.grammars.grammar import Found, Grammar, body_of, definition


def _impl(node: Node) -> Found | None:
    """Read an ``impl`` block, named by the type that it extends."""
    name = node.child_by_field_name("type")
    while name is not None and name.type != "type_identifier":
        inner = name.child_by_field_name("type") or name.child_by_field_name("name")
        if inner is None:
            break
        name = inner
    return Found("impl", name, node.child_by_field_name("body")) if name else None


_SHELL: Final = re.compile(rb"^[ \t]*[\w:]+![ \t]*\{", re.MULTILINE)
_MAX_SHELLS: Final = 4
"""Macros inside macros that are opened; nobody writes more, but for who means harm."""


def _without_shells(source: bytes, depth: int = _MAX_SHELLS) -> bytes:
    """Blank out macro calls around items, as in ``cfg_unix! { fn open() {} }``.

    The parser sees only tokens in a macro call. What stands inside is taken for items when it
    reads as such without an error; positions stay.
    """
    if not depth or not _SHELL.search(source):
        return source
    opened = bytearray(source)
    for call in _item_macros(_parser().parse(source).root_node):
        tokens = call.named_children[-1]
        first, last = tokens.start_byte + 1, tokens.end_byte - 1
        inside = _without_shells(source[first:last], depth - 1)
        if source[first - 1 : first] == b"{" and _is_items(inside):
            shell = re.sub(rb"[^\n]", b" ", source[call.start_byte : first])
            opened[call.start_byte : last + 1] = shell + inside + b" "
    return bytes(opened)


def _item_macros(root: Node) -> Iterator[Node]:
    """Yield the macro calls that stand where items do."""
    pending = [root]
    while pending:
        for node in pending.pop().named_children:
            if node.type == "macro_invocation":
                yield node
            elif (body := node.child_by_field_name("body")) and body.type == "declaration_list":
                pending.append(body)


def _is_items(source: bytes) -> bool:
    root = _parser().parse(source).root_node
    found = any(node.type in GRAMMAR.definitions for node in root.named_children)
    return found and not root.has_error


@cache
def _parser() -> Parser:
    import tree_sitter_rust

    return Parser(Language(tree_sitter_rust.language()))


GRAMMAR = Grammar(
    package="tree_sitter_rust",
    definitions={
        "function_item": definition("function"),
        "function_signature_item": definition("function"),
        "struct_item": definition("struct"),
        "union_item": definition("struct"),
        "enum_item": definition("enum"),
        "enum_variant": definition("enum_member"),
        "trait_item": definition("trait"),
        "impl_item": _impl,
        "mod_item": definition("module"),
        "const_item": definition("constant"),
        "static_item": definition("constant"),
        "type_item": definition("type"),
        "macro_definition": definition("macro"),
    },
    transparent={"foreign_mod_item": body_of},
    leads=frozenset(("attribute_item",)),
    readable=_without_shells,
)
