"""From a snippet to the lines that a sentence speaks of (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from codeintel_rev.answer.passages import Passage
from codeintel_rev.text.code_tokenizer import identifiers
from codeintel_rev.types import Symbol

_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n")
_CODE = re.compile(r"`([^`]+)`")


def last_sentence(text: str) -> str:
    """Return the sentence that a text ends with or is in the middle of."""
    return next((part for part in reversed(_SENTENCE.split(text)) if part.strip()), "")


def narrowed(passage: Passage, symbols: Sequence[Symbol], said: str) -> tuple[int, int] | None:
    """Return the lines of the definition in the passage that a sentence names in backticks.

    Of definitions inside each other it is the innermost. ``None`` when none is named, or several
    that stand apart.
    """
    names = {name for code in _CODE.findall(said) for name in identifiers(code)}
    start, end = passage.start_line, passage.end_line
    found = [s for s in symbols if s.name in names and start <= s.line <= end]
    if not found or not passage.is_exact:
        return None
    inner = min(found, key=lambda symbol: symbol.end_line - symbol.start_line)
    if any(not _within(inner, other) for other in found):
        return None
    return max(start, inner.start_line), min(end, inner.end_line)


def _within(inner: Symbol, outer: Symbol) -> bool:
    return outer.start_line <= inner.start_line and inner.end_line <= outer.end_line
