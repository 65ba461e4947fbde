"""Declarations told by the words that start their lines, where no grammar reads them."""

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
    "class": "class", "contract": "class", "def": "function", "enum": "enum",
    "extension": "impl", "func": "function", "function": "function", "input": "struct",
    "interface": "interface", "library": "class", "macro": "macro", "message": "struct",
    "mixin": "class", "module": "module", "package": "module", "proc": "function",
    "procedure": "function", "rpc": "method", "service": "interface", "struct": "struct",
    "sub": "function", "table": "struct", "trait": "trait", "trigger": "function",
    "type": "type", "typedef": "type", "union": "struct", "view": "struct",
}  # fmt: skip
"""Keyword -> kind of what it declares."""

_ACCESS: Final = "public private protected internal static final abstract override"

_ANNOTATION: Final = r"@[\w.]+(?:\([^)\n]*\))?"

SYNTAXES: Final = {
    "crystal": Syntax("def class module struct enum macro", _ACCESS, r"(?:self\.)?", r"[\w:]+[?!=]?"),
    "dart": Syntax("class mixin extension enum typedef", "abstract base final sealed"),
    "graphql": Syntax("type input interface enum union", "extend"),
    "groovy": Syntax("class interface trait enum def", _ACCESS),
    "julia": Syntax("function struct macro module", "mutable", name=r"[\w.]+!?"),
    "nim": Syntax("proc func macro"),
    "perl": Syntax("sub package", name=r"[\w:]+"),
    "powershell": Syntax("function class enum", name=r"[\w-]+"),
    "protobuf": Syntax("message service enum rpc"),
    "r": Syntax(pattern=r"(?P<name_2>[\w.]+)[ \t]*(?:<-|=)[ \t]*function\b"),
    "solidity": Syntax("contract library interface function struct enum", "abstract"),
    "sql": Syntax(
        pattern=r"create[ \t]+(?:\w+[ \t]+){0,3}?(?P<keyword_2>table|view|function|procedure|trigger|type)"
        r"[ \t]+(?:if[ \t]+not[ \t]+exists[ \t]+)?(?P<name_2>[\w.\"`\[\]]+)",
    ),
    "tcl": Syntax("proc", name=r"[\w:]+"),
    "thrift": Syntax("struct service enum union"),
    "vim": Syntax("function", name=r"[\w:#.]+"),
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
