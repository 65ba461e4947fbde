"""Excerpts: the few lines of a snippet that say most about a question (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from codeintel_rev.answer.question import Question, stems_of

EXCERPT_LINES = 8
"""Lines of the longest excerpt."""

GUIDE_LINES = 12
"""Lines of the longest block of code that is shown of a document."""

LEAST_SHARE = 0.3
"""Lines that hold less of the question than this are not what it is about."""

MESSAGE_LINES = 6
"""Lines over which the text of one message may be spread."""

_THROWS = re.compile(
    r"\b(?:raise|throw|throws|panic!?|abort|fatal\w*|bail!|exit|die|error\w*|Err|Error\w*|fail\w*|reject)\b"
)
_BLOCK = re.compile(r"[ \t]*(?:```|~~~)|\.\. code(?:-block)?::|(?: {4}|\t)\S|[ \t]*\$ \w")
"""How a block of code begins in Markdown and reStructuredText; a prompt stands for one, too."""

_CLOSER = re.compile(r"[ \t]*(?:[)\]};,]+|end)[ \t]*")
_STATEMENT = re.compile(r"[ \t]*(?:raise|throw|return|panic|log|print|echo|assert|if|else|\w+!?\()")


class Excerpt(NamedTuple):
    """Consecutive lines of a snippet, counted from its first, which is 0."""

    first: int
    last: int

    def of(self, lines: Sequence[str]) -> str:
        """Return the text, without the indentation that its lines share."""
        chosen = lines[self.first : self.last + 1]
        indent = min((len(x) - len(x.lstrip()) for x in chosen if x.strip()), default=0)
        return "\n".join(line[indent:].rstrip() for line in chosen)


def message_excerpt(question: Question, lines: Sequence[str]) -> Excerpt | None:
    """Return the statement that holds what the question quotes; ``None`` when there is none.

    It begins at the line that raises, throws or prints the message, if that is close above.
    """
    if not question.is_quoted_in("\n".join(lines)):
        return None
    for size in range(1, MESSAGE_LINES + 1):
        for first in range(len(lines) - size + 1):
            if question.is_quoted_in("\n".join(lines[first : first + size])):
                start = _statement_start(lines, first)
                return Excerpt(start, _statement_end(lines, start, first + size - 1))
    return None


def raises(text: str) -> bool:
    """Return whether an excerpt reads as if it ended in an error."""
    return _THROWS.search(text) is not None


def telling_excerpt(question: Question, lines: Sequence[str]) -> Excerpt:
    """Return the stretch of at most ``EXCERPT_LINES`` that holds most of what is asked about.

    Each word of the question counts once, by how rare it is in code at large. Where no stretch
    holds enough it is the beginning.
    """
    best, most = Excerpt(0, min(len(lines), EXCERPT_LINES) - 1), LEAST_SHARE
    if len(lines) <= EXCERPT_LINES:
        return _trimmed(best, lines)
    found = [stems_of(line) & question.terms for line in lines]
    for first, here in enumerate(found):
        if not here:
            continue
        last = first
        for end in range(first, min(first + EXCERPT_LINES, len(lines))):
            last = end if found[end] else last
        worth = question.share_in(frozenset().union(*found[first : last + 1]))
        if worth > most:
            best, most = Excerpt(first, last), worth
    return _trimmed(_with_start(best, lines), lines)


def guide_excerpt(question: Question, lines: Sequence[str]) -> Excerpt:
    """Return what a section of a document says to do: its first block of code and the line before it.

    Where it shows no code, the lines that hold most of what is asked about.
    """
    opening = next((at for at, line in enumerate(lines) if _BLOCK.match(line)), None)
    if opening is None:
        return telling_excerpt(question, lines)
    is_fenced = lines[opening].lstrip().startswith(("```", "~~~"))
    last = opening
    for at in range(opening + 1, min(opening + GUIDE_LINES, len(lines))):
        if is_fenced or not lines[at].strip() or lines[at].startswith((" ", "\t", "$")):
            last = at
        else:
            break
        if is_fenced and lines[at].lstrip().startswith(("```", "~~~")):
            break
    before = (at for at in range(opening - 1, -1, -1) if lines[at].strip())
    return _trimmed(Excerpt(next(before, opening), last), lines)


def _trimmed(excerpt: Excerpt, lines: Sequence[str]) -> Excerpt:
    """Return the excerpt without blank lines at its ends, and without a brace that closes what is around."""
    first, last = excerpt
    while first < last and not lines[first].strip():
        first += 1
    while first < last and (not lines[last].strip() or _closes_outer(lines[last], lines[first])):
        last -= 1
    return Excerpt(first, last)


def _closes_outer(line: str, first: str) -> bool:
    return _CLOSER.fullmatch(line) is not None and _indent(line) < _indent(first)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _with_start(excerpt: Excerpt, lines: Sequence[str]) -> Excerpt:
    """Return the excerpt with lines before it, as long as it is short and its paragraph goes on."""
    first = excerpt.first
    while excerpt.last - first + 1 < EXCERPT_LINES and first > 0 and lines[first - 1].strip():
        first -= 1
    return Excerpt(first, excerpt.last)


def _statement_start(lines: Sequence[str], line: int) -> int:
    """Return where the statement begins that goes on in ``line``, looking two lines up."""
    for start in (line, line - 1, line - 2):
        if start >= 0 and (_THROWS.search(lines[start]) or _STATEMENT.match(lines[start])):
            return start
    return line


def _statement_end(lines: Sequence[str], start: int, line: int) -> int:
    """Return where the brackets close that the statement opens, if that is close below."""
    for end in range(line, min(line + MESSAGE_LINES, len(lines))):
        text = "\n".join(lines[start : end + 1])
        if text.count("(") <= text.count(")"):
            return end
    return line
