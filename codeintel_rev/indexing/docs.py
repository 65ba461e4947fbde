"""Documentation in code: docstrings and comments without their markers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_DOC: Final = 1000
"""Characters kept of a definition's documentation."""
MAX_SENTENCE: Final = 200

_MARKER: Final = re.compile(
    r"^[ \t]*(?:/\*+!?|\*+/|\*+(?!\*)|//[/!]*|#+!?|<!--|\{-|--+(?:\[=*\[)?)?(?:[ \t]*\|)?[ \t]*",
    re.MULTILINE,
)
_END_MARKER: Final = re.compile(r"(?<![ \t])[ \t]*+(?:(?<!\*)\*+/|-->|-\}|\]=*\])\s*$")
_XML_TAG: Final = re.compile(r"</?(?:summary|remarks|para)>")
_QUOTES: Final = re.compile(r"^[a-zA-Z]{0,2}(\"\"\"|'''|\"|')(.*)\1$", re.DOTALL)
_RULE: Final = re.compile(r"^(?:\W+|[ \t]*</?\w+>[ \t]*)$", re.MULTILINE)
_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z`\"'(\[<])|\n\s*\n|\n\s*(?=[@:\\]\w)|\n\s*[-=~]{3,}"
)


def comment_doc(comments: Iterable[str]) -> str:
    """Return the prose of adjacent comments, one line a line; rules of dashes are dropped."""
    bare = (_MARKER.sub("", _END_MARKER.sub("", comment)) for comment in comments)
    text = _XML_TAG.sub("", "\n".join(text.rstrip() for text in bare))
    return _RULE.sub("", text).strip()[:MAX_DOC]


def docstring_doc(literal: str) -> str:
    """Return the prose of a Python string literal."""
    match = _QUOTES.match(literal)
    text = match[2] if match else literal
    return "\n".join(line.strip() for line in text.splitlines()).strip()[:MAX_DOC]


def first_sentence(doc: str) -> str:
    """Return the first sentence of ``doc`` on one line, at most ``MAX_SENTENCE`` characters."""
    sentence = " ".join(_SENTENCE_END.split(doc, maxsplit=1)[0].split())
    if len(sentence) <= MAX_SENTENCE:
        return sentence
    return sentence[: MAX_SENTENCE - 1].rstrip() + "…"
