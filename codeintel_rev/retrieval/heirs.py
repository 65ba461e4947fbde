"""Types that extend or implement another, read from the heads of their definitions (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

_ASKED = re.compile(
    r"\b(?:sub-?(?:class(?:es)?|types?)|(?:child|derived) (?:class(?:es)?|types?)|implementations"
    r"|implement[eo]rs?) (?:of|for)\b"
    r"|\b(?:who|what|which|that|all|everything|class(?:es)?|types?|structs?|enums?|interfaces?)"
    r" (?:extend|implement|inherit|derive)(?:s|ing)?\b",
    re.IGNORECASE,
)
_TYPE = re.compile(r"(?<![\w$])(?:\w+(?:\.|::))*(?P<name>[A-Z]\w*)")
_MAX_QUESTION = 400
_MAX_LINE = 400
_HEAD_LINES = 4
"""Lines over which the head of a definition may be spread."""

_KEYWORD = re.compile(
    r"\s*@behaviour\b|[^\"'#*/]{0,80}?\b(?:class|interface|trait|struct|enum|record|object|protocol"
    r"|extension|impl|instance|defimpl)\b"
)
_ENDS = re.compile(r"[{:]\s*$|^\s*$|\bdo\s*$|;\s*$")


def heirs_asked_for(text: str) -> str | None:
    """Return the type whose heirs a question asks for (``which classes extend Backend?``)."""
    asked = _ASKED.search(text[:_MAX_QUESTION])
    named = asked and _TYPE.search(text[:_MAX_QUESTION], asked.end())
    return named["name"] if named else None


def telling_heirs(name: str, texts: Iterable[tuple[int, bytes]]) -> list[int]:
    """Return the rows whose text defines a type that extends or implements ``name``."""
    needle = name.encode()
    return [
        row
        for row, text in texts
        if needle in text and extends(text.decode("utf-8", "replace").split("\n"), name)
    ]


def extends(lines: Sequence[str], name: str) -> bool:
    """Return whether some lines hold the head of a definition that has ``name`` among its bases."""
    return any(_bases(name).match(head) is not None for head in _heads(lines))


def _heads(lines: Sequence[str]) -> Iterator[str]:
    """Yield each definition's head, in one line."""
    for number, line in enumerate(lines):
        if _KEYWORD.match(line[:_MAX_LINE]):
            head = line[:_MAX_LINE]
            for further in lines[number + 1 : number + _HEAD_LINES]:
                if _ENDS.search(head):
                    break
                head = f"{head} {further[:_MAX_LINE].strip()}"
            yield head


@lru_cache(maxsize=256)
def _bases(name: str) -> re.Pattern[str]:
    """Return what a head with this base looks like, in the languages that are indexed.

    ``class A(Base):``, ``class A extends Base``, ``class A : public Base``, ``class A < Base``,
    ``impl Base for A``, ``@behaviour Base``. Go's types do not say what they implement.
    """
    base = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
    return re.compile(
        rf"[^\"'#*]{{0,80}}?\b(?:class\s+\w+\s*(?:\[[^\]]*\]\s*)?\([^)]*{base}"
        r"|(?:class|interface|trait|struct|enum|record|object|protocol|extension)\s+[\w.]+[^{;]*?"
        rf"(?:\b(?:extends|implements|with)\b|(?<!:):(?!:)|<(?=\s))[^{{;]*{base}"
        rf"|impl\b[^{{;]*{base}[^{{;]*\bfor\b|instance\b[^{{;]*{base}|defimpl\s+{base})"
        rf"|\s*@behaviour\s+[\w.]*{base}"
    )
