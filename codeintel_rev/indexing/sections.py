"""The outline of documents: one section a heading, named by the titles above it."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from codeintel_rev.indexing.headings import Heading, markdown_headings, rst_headings
from codeintel_rev.indexing.line_chunker import line_units
from codeintel_rev.indexing.lines import Lines
from codeintel_rev.indexing.pieces import Definition, Unit
from codeintel_rev.types import Symbol

TITLE_SEPARATOR: Final = " > "
"""Stands between nested titles in a symbol, since titles hold dots of their own."""

HEADING_SCANS: Final = {"markdown": markdown_headings, "restructuredtext": rst_headings}


def section_outline(lines: Lines, lang: str) -> tuple[list[Unit], list[Symbol]]:
    """Return the units and symbols of a document in one of the ``HEADING_SCANS`` languages."""
    rows = lines.data.decode().split("\n")
    headings = list(HEADING_SCANS[lang](rows))
    plain = line_units(lines, Definition("", "lines"))
    cuts = [unit.row for unit in plain]
    units = plain[: bisect_left(cuts, headings[0].start) if headings else len(plain)]
    symbols: list[Symbol] = []
    path: list[tuple[int, Definition]] = [(0, plain[0].owner)]
    for at, heading in enumerate(headings):
        following = headings[at + 1] if at + 1 < len(headings) else None
        while path[-1][0] >= heading.level:
            path.pop()
        parent = path[-1][1]
        titles = filter(None, (parent.symbol, heading.title))
        section = Definition(TITLE_SEPARATOR.join(titles), "section")
        path.append((heading.level, section))
        is_leaf = following is None or following.level <= heading.level
        family = parent if is_leaf else section
        stop = following.start if following else lines.row_count
        units.append(Unit(heading.start, section, family, opening=True))
        inner = plain[bisect_left(cuts, heading.row + 1) : bisect_left(cuts, stop)]
        units += [Unit(unit.row, section, family, unit.depth) for unit in inner]
        symbols.append(
            Symbol(
                name=heading.title,
                qualname=section.symbol,
                kind="section",
                start_line=heading.start + 1,
                end_line=_section_end(headings, at, lines),
                line=heading.row + 1,
                column=rows[heading.row].index(heading.title[:1]) + 1,
            )
        )
    return units, symbols


def _section_end(headings: list[Heading], at: int, lines: Lines) -> int:
    """Return the last line of a section with its subsections, blank lines at its end left out."""
    level = headings[at].level
    ends = (h.start for h in headings[at + 1 :] if h.level <= level)
    end = next(ends, lines.row_count)
    while end > headings[at].row + 1 and lines.is_blank(end - 1):
        end -= 1
    return end
