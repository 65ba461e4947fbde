"""Definitions in a snippet, read from its text alone.

A snippet may hold several definitions or a piece of one, and no parse tree comes with it. Lines
that introduce a name are recognised by their keywords, the extent of a definition by indentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from codeintel_rev.answer.sentences import first_sentence

MAX_LINE = 400
"""Characters of a line that are looked at; a definition begins within them."""

_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|unsafe"
    r"|const|constexpr|extern|override|open|sealed|data|inline|virtual|declare|partial|typedef"
    r"|pub(?:\([^)]*\))?)\s+)*"
)
_KEYWORD = re.compile(
    rf"[ \t]*{_MODIFIERS}"
    r"(?P<keyword>def|class|func|fn|fun|function|struct|enum|trait|impl|interface|type|namespace"
    r"|mod|module|record|object|protocol|union|macro_rules!|\#[ \t]*define)"
    r"\*?(?:<[^>]*>)?\s+(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
)
_ARROW = re.compile(
    rf"[ \t]*{_MODIFIERS}(?:let\s+|var\s+)?(?P<name>[A-Za-z_$][\w$]*)\s*(?::[^=]+)?=\s*"
    r"(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|[A-Za-z_$][\w$]*\s*=>)"
)
_KINDS = {
    "def": "function",
    "func": "function",
    "fn": "function",
    "fun": "function",
    "mod": "module",
    "macro_rules!": "macro",
    "record": "class",
    "object": "class",
    "protocol": "interface",
}
_STATEMENT = re.compile(r"[ \t]*(?:return|if|else|for|while|switch|await|throw|raise|new)\b")
_CLOSER = re.compile(r"[})\]{]|end\b")
_LEAD = re.compile(r"[ \t]*(?:@|//|/\*|\*(?:[ /]|$)|\#[ !\[]|\#$|--|\[\w)")
_ATTRIBUTE = re.compile(r"[ \t]*(?:@|\#\[|\[)")
_MARKER = re.compile(r"^[ \t]*(?:/\*+|\*+/|\*|//+!?|\#+!?|--+)[ \t]?|[ \t]*\*+/[ \t]*$")
_DOCSTRING = re.compile(r"\s*[rRuU]?(?P<quote>\"\"\"|''')(?P<text>.*?)(?:(?P=quote)|\Z)", re.DOTALL)
_TAG = re.compile(r"[@\\](?:param|returns?|throws|brief)\b")


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition in a snippet; lines are counted from the snippet's first, which is 0."""

    name: str
    kind: str
    first: int
    """Where it begins, decorators and leading comment included."""
    line: int
    """Where its name stands."""
    last: int
    signature: str
    doc: str
    """First sentence of its documentation, or empty."""


def definitions_in(lines: Sequence[str]) -> list[Definition]:
    """Return the definitions whose lines name themselves by a keyword, in order."""
    found = []
    for number, line in enumerate(lines):
        match = _KEYWORD.match(line[:MAX_LINE]) or _ARROW.match(line[:MAX_LINE])
        if match:
            keyword = match.groupdict().get("keyword", "function")
            kind = "macro" if keyword.startswith("#") else _KINDS.get(keyword, keyword)
            found.append(_definition(lines, number, match["name"], kind))
    return found


def definition_of(lines: Sequence[str], symbol: str, kind: str = "") -> Definition | None:
    """Return the definition of a symbol that the parser placed in this snippet, if seen here.

    A name without a keyword before it (``int parse(char *text) {``, ``LIMIT = 3``) is found too.
    ``kind`` is the parser's word for it, and empty where that speaks of the snippet as a whole.
    """
    name = re.split(r"\.|::|#", symbol)[-1]
    if not name:
        return None
    for definition in definitions_in(lines):
        if definition.name == name:
            return replace(definition, kind=kind or definition.kind)
    number = _bare_line(lines, name)
    return None if number is None else _definition(lines, number, name, kind or "definition")


def _bare_line(lines: Sequence[str], name: str) -> int | None:
    """Return the line that defines a name without a keyword: typed, assigned or with a body."""
    typed = r"(?P<typed>(?:[\w:<>,*&\[\]?@]+\s+)*[*&]*(?:\w+::)*)~?"
    pattern = re.compile(rf"[ \t]*{typed}{re.escape(name)}\s*(?P<mark>\(|=(?!=)|:(?!:))")
    for number, line in enumerate(lines):
        match = pattern.match(line[:MAX_LINE])
        if match is None or _STATEMENT.match(line) or _LEAD.match(line):
            continue
        opens_body = line.rstrip().endswith("{") or lines[number + 1 : number + 2] == ["{"]
        if match["mark"] != "(" or match["typed"] or opens_body:
            return number
    return None


def _definition(lines: Sequence[str], number: int, name: str, kind: str) -> Definition:
    first, last = _lead_start(lines, number), _extent(lines, number)
    doc = _docstring(lines, number, last) or _comment(lines[first:number])
    return Definition(
        name, kind, first, number, last, lines[number].strip().rstrip("{").rstrip(), doc
    )


def _lead_start(lines: Sequence[str], number: int) -> int:
    """Return where the decorators and comments directly above a line begin."""
    while number > 0 and _LEAD.match(lines[number - 1]):
        number -= 1
    return number


def _extent(lines: Sequence[str], number: int) -> int:
    """Return the last line that belongs to the definition, judged by indentation."""
    depth, last = _indent(lines[number]), number
    for position in range(number + 1, len(lines)):
        line = lines[position]
        if not line.strip():
            continue
        if _indent(line) < depth or (_indent(line) == depth and not _CLOSER.match(line.strip())):
            break
        last = position
    return last


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def _docstring(lines: Sequence[str], number: int, last: int) -> str:
    """Return the first sentence of the string that opens the body, as Python has it."""
    for position in range(number, last):
        if lines[position].split("#")[0].rstrip().endswith(":"):
            match = _DOCSTRING.match("\n".join(lines[position + 1 : last + 1]))
            return first_sentence(match["text"]) if match else ""
    return ""


def _comment(lines: Iterable[str]) -> str:
    """Return the first sentence of a leading comment, markers and tags taken off."""
    text = "\n".join(_MARKER.sub("", line).rstrip() for line in lines if not _ATTRIBUTE.match(line))
    return first_sentence(_TAG.split(text.removesuffix("*/"), maxsplit=1)[0])


def prose_of(lines: Iterable[str]) -> str:
    """Return the first sentence of a Markdown section's first paragraph, or empty."""
    paragraph: list[str] = []
    fenced = False
    for line in lines:
        text = line.strip()
        if text.startswith(("```", "~~~")):
            fenced = not fenced
        is_prose = bool(text) and not fenced and not re.match(r"[#|<>!`~=+\-*\[]|\d+[.)]", text)
        if is_prose:
            paragraph.append(text)
        elif paragraph:
            break
    return first_sentence("\n".join(paragraph))
