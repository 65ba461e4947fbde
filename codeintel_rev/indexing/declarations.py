"""Declarations of languages without a grammar here, told by the words that start their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple


class Declaration(NamedTuple):
    """A line that declares something."""

    offset: int
    """Where its name starts, in bytes."""
    kind: str
    name: str


class Syntax(NamedTuple):
    """How a language's declarations look; each field but the last holds words."""

    keywords: str = ""
    modifiers: str = ""
    prefix: str = ""
    """Pattern of what may stand between keyword and name, such as type parameters."""
    name: str = r"\w+"
    pattern: str = ""
    """Other declarations: group ``name_2`` is the name, ``keyword_2`` the word if there is one."""


_KINDS: Final = {
    "actor": "class", "class": "class", "contract": "class", "def": "function",
    "define": "macro", "defimpl": "impl", "defmacro": "macro", "defmacrop": "macro",
    "defmodule": "module", "defp": "function", "defprotocol": "interface", "enum": "enum",
    "extension": "impl", "fn": "function", "fun": "function", "func": "function",
    "function": "function", "input": "struct", "interface": "interface", "library": "class",
    "macro": "macro", "message": "struct", "mixin": "class", "module": "module",
    "namespace": "module", "object": "class", "package": "module", "proc": "function",
    "procedure": "function", "protocol": "interface", "record": "class", "rpc": "method",
    "service": "interface", "struct": "struct", "sub": "function", "table": "struct",
    "trait": "trait", "type": "type", "typealias": "type", "typedef": "type", "union": "struct",
    "view": "struct",
}  # fmt: skip
"""Keyword -> kind of what it declares."""

_ACCESS: Final = "public private protected internal static final abstract override"
_CSHARP: Final = f"{_ACCESS} virtual async sealed extern unsafe partial readonly ref file"
_SWIFT: Final = (
    f"{_ACCESS} open fileprivate class mutating indirect convenience required nonisolated"
)

_ANNOTATION: Final = r"@[\w.]+(?:\([^)\n]*\))?"

SYNTAXES: Final = {
    "bash": Syntax("function", name=r"[\w:.-]+", pattern=r"(?P<name_2>[\w:.-]+)[ \t]*\(\)"),
    "crystal": Syntax("def class module struct enum macro", _ACCESS, r"(?:self\.)?", r"[\w:]+[?!=]?"),
    "csharp": Syntax(
        "class interface struct record enum namespace",
        _CSHARP,
        r"(?:struct[ \t]+|class[ \t]+)?",
        r"[\w.]+",
        rf"(?:(?:{_CSHARP.replace(' ', '|')})[ \t]+)++(?:[\w<>\[\],.?:]++[ \t]+)*?"
        r"(?P<name_2>\w++)(?:<[^>\n]*>)?[ \t]*\(",
    ),
    "dart": Syntax("class mixin extension enum typedef", "abstract base final sealed"),
    "elixir": Syntax(
        "defmodule defprotocol defimpl def defp defmacro defmacrop", name=r"[\w.]+[!?]?"
    ),
    "graphql": Syntax("type input interface enum union", "extend"),
    "groovy": Syntax("class interface trait enum def", _ACCESS),
    "julia": Syntax("function struct macro module", "mutable", name=r"[\w.]+!?"),
    "kotlin": Syntax(
        "fun class interface object typealias",
        f"{_ACCESS} fun open sealed data inner inline suspend operator infix tailrec external "
        "annotation enum value companion expect actual",
        r"(?:<[^>\n]*>[ \t]*)?(?:[\w<>?*, ]+\.)*",
        r"`[^`\n]+`|\w+",
    ),
    "lua": Syntax(
        "function", "local", name=r"[\w.:]+",
        pattern=r"(?:local[ \t]+)?(?P<name_2>[\w.]+)[ \t]*=[ \t]*function\b",
    ),
    "nim": Syntax("proc func macro"),
    "perl": Syntax("sub package", name=r"[\w:]+"),
    "php": Syntax("function class interface trait enum", f"{_ACCESS} readonly", r"&?"),
    "powershell": Syntax("function class enum", name=r"[\w-]+"),
    "protobuf": Syntax("message service enum rpc"),
    "r": Syntax(pattern=r"(?P<name_2>[\w.]+)[ \t]*(?:<-|=)[ \t]*function\b"),
    "ruby": Syntax("def class module", "private protected public", r"(?:self\.)?", r"[\w:]+[?!=]?"),
    "scala": Syntax(
        "def class object trait type enum", f"{_ACCESS} sealed case implicit lazy inline open package"
    ),
    "solidity": Syntax("contract library interface function struct enum", "abstract"),
    "sql": Syntax(
        pattern=r"create[ \t]+(?:\w+[ \t]+){0,3}?(?P<keyword_2>table|view|function|procedure|type)"
        r"[ \t]+(?:if[ \t]+not[ \t]+exists[ \t]+)?(?P<name_2>[\w.\"`\[\]]+)",
    ),
    "swift": Syntax(
        "func class struct enum protocol extension actor typealias", _SWIFT, name=r"[\w.]+",
        pattern=rf"(?:(?:{_SWIFT.replace(' ', '|')})[ \t]+)*(?P<name_2>init)[?!]?[ \t]*[(<]",
    ),
    "tcl": Syntax("proc", name=r"[\w:]+"),
    "thrift": Syntax("struct service enum union"),
    "vim": Syntax("function", name=r"[\w:#.]+"),
    "zig": Syntax("fn", "pub export inline extern"),
}  # fmt: skip


@cache
def _pattern(lang: str) -> re.Pattern[bytes]:
    """Return the pattern of one language's declaring lines."""
    syntax = SYNTAXES[lang]
    forms = []
    if syntax.keywords:
        before = ""
        if syntax.modifiers:
            words = "|".join(syntax.modifiers.split())
            before = rf"(?:{_ANNOTATION}[ \t]+)*(?:(?:{words})(?:\[\w+\])?[ \t]+)*"
        keyword = rf"(?P<keyword>{'|'.join(syntax.keywords.split())})!?[ \t]+"
        forms.append(rf"{before}{keyword}{syntax.prefix}(?P<name>{syntax.name})")
    if syntax.pattern:
        forms.append(syntax.pattern)
    flags = re.MULTILINE | (re.IGNORECASE if lang == "sql" else re.NOFLAG)
    return re.compile(rf"^[ \t]*+(?:{'|'.join(forms)})".encode(), flags)


def find_declarations(data: bytes, lang: str) -> Iterator[Declaration]:
    """Yield the declarations of UTF-8 ``data`` in one of the ``SYNTAXES`` languages, in order."""
    for match in _pattern(lang).finditer(data):
        groups = match.groupdict()
        group = "name" if groups.get("name") else "name_2"
        keyword = groups.get("keyword") or groups.get("keyword_2") or b"function"
        name = groups[group].decode().strip('"`[]').replace("::", ".").replace(":", ".")
        yield Declaration(match.start(group), _KINDS[keyword.decode().lower()], name)
