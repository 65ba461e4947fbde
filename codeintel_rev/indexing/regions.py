"""The extent of declarations in code without a grammar, told by indentation."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from codeintel_rev.indexing.declarations import Declaration, find_declarations
from codeintel_rev.indexing.line_chunker import indent_of, is_continuation
from codeintel_rev.indexing.lines import Lines

_LEAD_MARKS: Final = (b"#", b"//", b"/*", b"*", b"--", b"@", b"[")
"""What a comment or attribute line starts with."""


@dataclass(slots=True, eq=False)
class Region:
    """A declaration and the rows that belong to it."""

    declaration: Declaration
    parent: Region | None
    start: int
    """First row of the comments and attributes above it."""
    row: int
    end: int
    """The row after its last one."""
    indent: int


def find_regions(lines: Lines, lang: str) -> list[Region]:
    """Return the declarations of a source in order.

    A region ends before the first line that is indented no more than its own, unless that line
    opens or closes a block.
    """
    declared: dict[int, Declaration] = {}
    for declaration in find_declarations(lines.data, lang):
        declared.setdefault(bisect_right(lines.starts, declaration.offset) - 1, declaration)
    if not declared:
        return []
    regions: list[Region] = []
    inside: list[Region] = []
    rows = lines.data.split(b"\n")
    last = 0
    for row, line in enumerate(rows):
        bare = line.lstrip()
        continues = is_continuation(bare)
        if not bare or (continues and bare.startswith(b"#")):
            continue
        indent = indent_of(line, bare)
        while inside and inside[-1].indent >= indent + continues:
            inside.pop().end = last + 1
        if row in declared:
            parent = inside[-1] if inside else None
            start = _lead_start(rows, row)
            region = Region(declared[row], parent, start, row, lines.row_count, indent)
            regions.append(region)
            inside.append(region)
        last = row
    for region in inside:
        region.end = last + 1
    return regions


def _lead_start(rows: list[bytes], row: int) -> int:
    """Return the first row of the comments and attributes that stand right above ``row``."""
    while row > 0 and rows[row - 1].lstrip().startswith(_LEAD_MARKS):
        row -= 1
    return row
