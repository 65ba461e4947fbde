"""The outline of documents and data: one section a heading, named by the titles above it."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from codeintel_rev.indexing.docs import comment_doc, first_sentence
from codeintel_rev.indexing.headings import Heading, markdown_headings, rst_headings
from codeintel_rev.indexing.keys import json_keys, tables, yaml_keys
from codeintel_rev.indexing.line_chunker import line_units
from codeintel_rev.indexing.lines import Lines
from codeintel_rev.indexing.pieces import Definition, Unit
from codeintel_rev.types import Symbol

TITLE_SEPARATOR: Final = " > "
"""Stands between nested titles in a symbol, since titles hold dots of their own."""

HEADING_SCANS: Final = {
    "config": tables,
    "json": json_keys,
    "markdown": markdown_headings,
    "restructuredtext": rst_headings,
    "toml": tables,
    "yaml": yaml_keys,
}


def section_outline(lines: Lines, lang: str) -> tuple[list[Unit], list[Symbol]]:
    """Return the units and symbols of a document in one of the ``HEADING_SCANS`` languages."""
    rows = lines.data.decode().split("\n")
    headings = list(HEADING_SCANS[lang](rows))
    plain = line_units(lines, Definition("", "lines"))
    if not headings:
        return plain, []
    cuts = [unit.row for unit in plain]
    stops = [heading.start for heading in headings[1:]] + [lines.row_count]
    units = plain[: bisect_left(cuts, headings[0].start)]
    symbols: list[Symbol] = []
    path: list[tuple[int, Definition]] = [(0, plain[0].owner)]
    for heading, stop, end in zip(headings, stops, _section_ends(headings, lines), strict=True):
        while path[-1][0] >= heading.level:
            path.pop()
        parent = path[-1][1]
        titles = filter(None, (parent.symbol, heading.title))
        doc = comment_doc(rows[heading.start : heading.row])
        kind = "section" if heading.title else "lines"
        section = Definition(TITLE_SEPARATOR.join(titles), kind, doc)
        path.append((heading.level, section))
        family = parent if stop == end else section
        units.append(Unit(heading.start, section, family, opening=True))
        inner = plain[bisect_left(cuts, heading.row + 1) : bisect_left(cuts, stop)]
        units += [Unit(unit.row, section, family, unit.depth) for unit in inner]
        if heading.title:
            last = _last_visible(heading, end, lines)
            symbols.append(_symbol(heading, section, rows, last))
    return units, symbols


def _section_ends(headings: list[Heading], lines: Lines) -> list[int]:
    """Return the row after each section, subsections included."""
    ends = [lines.row_count] * len(headings)
    inside: list[int] = []
    for at, heading in enumerate(headings):
        while inside and headings[inside[-1]].level >= heading.level:
            ends[inside.pop()] = heading.start
        inside.append(at)
    return ends


def _last_visible(heading: Heading, end: int, lines: Lines) -> int:
    """Return the last row of a section that is not blank."""
    row = end - 1
    while row > heading.row and lines.is_blank(row):
        row -= 1
    return row


def _symbol(heading: Heading, section: Definition, rows: list[str], last: int) -> Symbol:
    """Return the symbol of a section whose last row is ``last``.

    A setting that a document describes under its name is found by that name: ticks are none of it.
    """
    return Symbol(
        name=heading.title.strip("`"),
        qualname=section.symbol,
        kind=section.kind,
        start_line=heading.start + 1,
        end_line=last + 1,
        line=heading.row + 1,
        column=rows[heading.row].index(heading.title[:1]) + 1,
        doc=first_sentence(section.doc),
    )
