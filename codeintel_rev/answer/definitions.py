"""Definitions in a snippet, read from its text alone.

A snippet may hold several definitions or a piece of one, and no parse tree comes with it. Lines
that introduce a name are recognised by their keywords, the extent of a definition by indentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, takewhile

from codeintel_rev.answer.sentences import first_sentence

MAX_LINE = 400
"""Characters of a line that are looked at; a definition begins within them."""

MAX_SIGNATURE_LINES = 8
"""Lines of the longest parameter list that is quoted."""

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
_CONSTANT = re.compile(
    rf"[ \t]*{_MODIFIERS}(?:let\s+|var\s+|val\s+)?(?:[\w<>\[\]]+\s+)?(?P<name>[A-Z][A-Z\d_]{{2,}})"
    r"\s*(?::[^=]+)?=(?![=>])"
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
_EMPTY_MACRO = re.compile(r"[ \t]*\#[ \t]*define[ \t]+\w+[ \t]*")
"""What keeps a header from being read twice: a name that stands for nothing."""
_STATEMENT = re.compile(r"[ \t]*(?:return|if|else|for|while|switch|await|throw|raise|new)\b")
_CLOSER = re.compile(r"[})\]{]|end\b")
_LEAD = re.compile(r"[ \t]*(?:@|//|/\*|\*(?:[ /]|$)|\#[ !\[]|\#$|--|\[\w)")
_ATTRIBUTE = re.compile(r"[ \t]*(?:@|\#\[|\[)")
_MARKER = re.compile(r"^[ \t]*(?:/\*+|\*+/|\*|//+!?|\#+!?(?![!\[])|--+)[ \t]?|[ \t]*\*+/[ \t]*$")
_LICENCE = re.compile(r"copyright|licen[cs]e|SPDX|\(c\)", re.IGNORECASE)
_DOCSTRING = re.compile(r"\s*[rRuU]?(?P<quote>\"\"\"|''')(?P<text>.*?)(?:(?P=quote)|\Z)", re.DOTALL)
_INLINE_TAG = re.compile(r"\{@\w+\s+([^{}]*)\}")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
_NO_PROSE = re.compile(r"[#|<>!`~=+\-*\[/$]|\d+[.)]|\.\. |:[\w -]+:(?:\s|$)")
_UNDERLINE = re.compile(r"([=~^\"'`#*+.:_-])\1{2,}")
MIN_PROSE_WORDS = 4
_TYPED = re.compile(r"[ \t]*(?P<typed>(?:[\w:<>,*&\[\]?@]+\s+)*[*&]*(?:\w+::)*)~?")
_MARK = re.compile(r"\s*(?P<mark>\(|=(?!=)|:(?!:))")
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
    body: int
    """Where its body begins, below signature and docstring."""
    last: int
    signature: str
    doc: str
    """First sentence of its documentation, or empty."""

    def defines(self, symbol: str) -> bool:
        """Return whether this is the definition of a dotted symbol, judged by its last name."""
        return leaf(symbol) == self.name


def definitions_in(lines: Sequence[str]) -> list[Definition]:
    """Return the definitions whose lines name themselves, by a keyword or as a constant, in order."""
    return [_definition(lines, number, name, kind) for number, name, kind in _named(lines)]


def names_defined_in(lines: Sequence[str]) -> set[str]:
    """Return the names of ``definitions_in``, for a fraction of the work."""
    return {name for _, name, _ in _named(lines)}


def definition_of(
    lines: Sequence[str],
    symbol: str,
    kind: str = "",
    found: Sequence[Definition] | None = None,
) -> Definition | None:
    """Return the definition of a symbol that the parser placed in this snippet, if seen here.

    A name without a keyword before it (``int parse(char *text) {``, ``LIMIT = 3``) is found too.
    ``kind`` is the parser's word for it, and empty where that speaks of the snippet as a whole.
    ``found`` is what ``definitions_in`` returns, where that is known.
    """
    name = leaf(symbol)
    if not name:
        return None
    for definition in definitions_in(lines) if found is None else found:
        if definition.name == name:
            return replace(definition, kind=kind or definition.kind)
    number = _bare_line(lines, name)
    return None if number is None else _definition(lines, number, name, kind or "definition")


def leaf(symbol: str) -> str:
    """Return the last name of a dotted symbol, empty for a title of a document."""
    return "" if " " in symbol else re.split(r"\.|::|#", symbol)[-1]


def _named(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield (line, name, kind) of what is named by a keyword, and of constants in capitals."""
    for number, line in enumerate(lines):
        start = line[:MAX_LINE]
        match = _KEYWORD.match(start) or ("=" in start and _ARROW.match(start))
        if match and not _EMPTY_MACRO.fullmatch(line):
            keyword = match.groupdict().get("keyword", "function")
            kind = "macro" if keyword.startswith("#") else _KINDS.get(keyword, keyword)
            yield number, match["name"], kind
        elif "=" in start and (constant := _CONSTANT.match(start)):
            yield number, constant["name"], "constant"


def _bare_line(lines: Sequence[str], name: str) -> int | None:
    """Return the line that defines a name without a keyword: typed, assigned or with a body."""
    for number, line in enumerate(lines):
        found = _typed_and_mark(line[:MAX_LINE], name) if name in line else None
        if found is None or _STATEMENT.match(line) or _LEAD.match(line):
            continue
        typed, mark = found
        opens_body = line.rstrip().endswith("{") or lines[number + 1 : number + 2] == ["{"]
        if mark != "(" or typed or opens_body:
            return number
    return None


def _typed_and_mark(line: str, name: str) -> tuple[str, str] | None:
    """Return what stands before a name that begins a line, and the sign after it."""
    at = line.rfind(name)
    while at >= 0:
        typed, mark = _TYPED.fullmatch(line, 0, at), _MARK.match(line, at + len(name))
        if typed and mark:
            return typed["typed"], mark["mark"]
        at = line.rfind(name, 0, at + len(name) - 1)
    return None


def _definition(lines: Sequence[str], number: int, name: str, kind: str) -> Definition:
    first, last = _lead_start(lines, number), _extent(lines, number)
    signature, after = _signature(lines, number)
    body = _body_start(lines, number, min(last, number + MAX_SIGNATURE_LINES)) or after
    docstring = _DOCSTRING.match("\n".join(lines[body : last + 1]))
    if docstring:
        body += docstring[0].count("\n") + 1
    doc = first_sentence(docstring["text"]) if docstring else _comment(lines[first:number])
    return Definition(name, kind, first, number, body, last, signature, doc)


def _signature(lines: Sequence[str], number: int) -> tuple[str, int]:
    """Return the line of the name and those that its open brackets go on to, and what is next."""
    text = ""
    for line in lines[number : number + MAX_SIGNATURE_LINES]:
        number += 1
        text = f"{text} {line.strip()}".strip()
        if text.count("(") <= text.count(")"):
            break
    return re.sub(r"(?<=\() | (?=\))", "", text).rstrip("{ :=\\"), number


def _body_start(lines: Sequence[str], number: int, last: int) -> int | None:
    """Return the line below the one that opens the body, be it behind a list of constraints."""
    ends = (line.split(" #")[0].rstrip() for line in lines[number : last + 1])
    return next((at for at, end in enumerate(ends, number + 1) if end.endswith((":", "{"))), None)


def _lead_start(lines: Sequence[str], number: int) -> int:
    """Return where the decorators and comments directly above a line begin."""
    while number > 0 and _LEAD.match(lines[number - 1]):
        number -= 1
    return number


def _extent(lines: Sequence[str], number: int) -> int:
    """Return the last line that belongs to the definition, judged by indentation."""
    depth, last = _indent(lines[number]), number
    for position in range(number + 1, len(lines)):
        text = lines[position].lstrip()
        if not text:
            continue
        indent = _indent(lines[position])
        if indent < depth or (indent == depth and not _CLOSER.match(text)):
            break
        last = position
    return last


def _indent(line: str) -> int:
    expanded = line.expandtabs(4) if "\t" in line else line
    return len(expanded) - len(expanded.lstrip())


def _comment(lines: Sequence[str]) -> str:
    """Return the first sentence of a leading comment, markers and markup taken off."""
    comment = [line for line in lines if not _ATTRIBUTE.match(line)]
    if comment and comment[0].lstrip().startswith("*"):
        return ""  # the rest of a comment whose beginning is not in the snippet
    text = "\n".join(_MARKER.sub("", line).rstrip() for line in comment).removesuffix("*/")
    plain = _MARKUP.sub("", _INLINE_TAG.sub(r"\1", _TAG.split(text, maxsplit=1)[0]))
    return prose_only(first_sentence(plain))


def file_doc(lines: Sequence[str]) -> str:
    """Return the first sentence of what a file says of itself at its top; no licence counts."""
    docstring = _DOCSTRING.match("\n".join(lines).lstrip("\ufeff"))
    if docstring:
        return first_sentence(docstring["text"])
    lead = list(takewhile(_LEAD.match, dropwhile(lambda line: not line.strip(), lines)))
    doc = _comment([line for line in lead if not line.startswith("#!")])
    return "" if _LICENCE.search(doc) else doc


def prose_only(doc: str) -> str:
    """Return documentation, or empty where it is a tag for a tool instead of a sentence."""
    return "" if doc.startswith(("@", "\\", "{@")) else doc


def opening_of(lines: Iterable[str]) -> str:
    """Return the first line that says something, without comment markers, or empty."""
    stripped = (_MARKER.sub("", line).strip() for line in lines)
    return next((line for line in stripped if re.search(r"\w", line)), "")


def prose_of(lines: Iterable[str]) -> str:
    """Return the first sentence of a section's first telling paragraph, or empty."""
    paragraphs: list[list[str]] = [[]]
    fenced = False
    for line in lines:
        text = line.strip()
        if _UNDERLINE.fullmatch(text) and len(paragraphs[-1]) == 1:
            paragraphs[-1].pop()  # it was a heading
            continue
        if text.startswith(("```", "~~~")):
            fenced = not fenced
        if text and not fenced and not _NO_PROSE.match(text):
            paragraphs[-1].append(text)
        elif paragraphs[-1]:
            paragraphs.append([])
    sentences = (first_sentence(_MARKUP.sub("", "\n".join(found))) for found in paragraphs)
    return next((s for s in sentences if len(s.split()) >= MIN_PROSE_WORDS), "")
