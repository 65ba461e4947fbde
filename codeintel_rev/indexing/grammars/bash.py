"""Bash, and the test files of Bats."""

from __future__ import annotations

import re

from tree_sitter import Node

from codeintel_rev.indexing.grammars.grammar import (
    Found,
    Grammar,
    child_of_type,
    definition,
    first_child,
    itself,
)

_BATS_TEST = re.compile(rb"^@test[ \t]+([\"'])([^\n]*)\1[ \t]+\{", re.MULTILINE)
_NOT_NAME = re.compile(rb"\W")


def _function_form(match: re.Match[bytes]) -> bytes:
    """Return a test's first line as that of a function, of the same length."""
    title = match[2]
    before = b" " * (match.start(2) - match.start())
    return (before + _NOT_NAME.sub(b"_", title) + b"()").ljust(len(match[0]) - 1) + b"{"


def _readable(data: bytes) -> bytes:
    """Return a script without the one form of Bats that is no shell."""
    return _BATS_TEST.sub(_function_form, data) if b"@test" in data else data


def _constant(node: Node) -> Found | None:
    """Read ``readonly NAME=value``."""
    if not (node.text or b"").startswith(b"readonly"):
        return None
    name = first_child(child_of_type(node, "variable_assignment"))
    return Found("constant", name) if name else None


GRAMMAR = Grammar(
    package="tree_sitter_bash",
    definitions={"function_definition": definition("function"), "declaration_command": _constant},
    transparent=dict.fromkeys(
        ("compound_statement", "if_statement", "elif_clause", "else_clause"), itself
    ),
    readable=_readable,
)
