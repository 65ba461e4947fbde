"""Headings of Markdown and reStructuredText, by one scan over the lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_MAX_TITLE: Final = 120

_ATX: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_SETEXT: Final = re.compile(r" {0,3}(=+|-+)$")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_NOT_A_PARAGRAPH: Final = re.compile(
    r"$| {4}|\t| {0,3}(?:[*+>|<]|- |#{1,6}\s|\d+[.)] |=+$|-{3,}$|`{3}|~{3})"
)
_RST_RULE: Final = re.compile(r"([=\-~^\"'`#*+:.<>_])\1{2,}$")


class Heading(NamedTuple):
    """A heading."""

    start: int
    """The row on which its section starts."""
    row: int
    """The row of its title."""
    level: int
    title: str


def markdown_headings(rows: Sequence[str]) -> Iterator[Heading]:
    """Yield the ATX and Setext headings outside front matter and fenced code."""
    fence = ""
    start = _front_matter_end(rows)
    for row in range(start, len(rows)):
        line = rows[row].rstrip()
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2]:
                fence = ""
        elif mark:
            fence = mark[1]
        elif atx := _ATX.match(line):
            yield Heading(row, row, len(atx[1]), heading_title(_opened(atx[2] or "")))
        elif (rule := _SETEXT.match(line)) and row > start:
            title = rows[row - 1].rstrip()
            if not _NOT_A_PARAGRAPH.match(title):
                yield Heading(row - 1, row - 1, 1 if rule[1][0] == "=" else 2, heading_title(title))


def _opened(title: str) -> str:
    """Return a title without the signs that may close it."""
    text = title.rstrip("#")
    return text if not text or text[-1] in " \t" else title


def _front_matter_end(rows: Sequence[str]) -> int:
    """Return the row after a leading block between ``---`` lines, 0 without one."""
    if rows[0].rstrip() != "---":
        return 0
    closing = (row for row in range(1, len(rows)) if rows[row].rstrip() in {"---", "..."})
    return next(closing, -1) + 1


def rst_headings(rows: Sequence[str]) -> Iterator[Heading]:
    """Yield underlined titles; a style's level is the order in which it first appears."""
    levels: dict[tuple[str, bool], int] = {}
    for row in range(1, len(rows)):
        rule = _RST_RULE.match(line := rows[row].rstrip())
        title = rows[row - 1].rstrip()
        if rule is None or not title.strip() or len(line) < len(title) or _RST_RULE.match(title):
            continue
        overlined = row > 1 and rows[row - 2].rstrip() == line
        paragraph_above = row > 1 and bool(rows[row - 2].strip()) and not overlined
        if paragraph_above or (title[0].isspace() and not overlined):
            continue
        level = levels.setdefault((rule[1], overlined), len(levels) + 1)
        yield Heading(row - 1 - overlined, row - 1, level, heading_title(title))


def heading_title(text: str) -> str:
    """Return a heading's text on one line, cut where it is no longer a title."""
    return " ".join(text.split())[:_MAX_TITLE]
