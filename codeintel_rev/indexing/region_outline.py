"""The outline of code without a grammar: its declarations, and a possible cut at any line."""

from __future__ import annotations

from typing import Final

from codeintel_rev.indexing.declarations import SYNTAXES
from codeintel_rev.indexing.docs import comment_doc, first_sentence
from codeintel_rev.indexing.line_chunker import CONTINUATION_COST, line_units
from codeintel_rev.indexing.lines import Lines
from codeintel_rev.indexing.pieces import ChunkSize, Definition, Unit
from codeintel_rev.indexing.regions import Region, find_regions
from codeintel_rev.types import Symbol

_FUNCTIONS: Final = frozenset(("function", "method", "macro"))
_COMMENT_MARKS: Final = ("#", "//", "/*", "*", "--")


class RegionOutliner:
    """Collects ``units`` and ``symbols`` of one source in order."""

    def __init__(self, lines: Lines, size: ChunkSize) -> None:
        self.units: list[Unit] = []
        self.symbols: list[Symbol] = []
        self._lines = lines
        self._size = size
        self._file = Definition("", "lines")
        self._definitions: dict[Region, Definition] = {}
        self._open: list[Region] = []
        self._placed_to = 0
        """Rows before this one belong to a region that is one chunk."""

    def outline(self, lang: str) -> None:
        """Collect the whole source."""
        plain = line_units(self._lines, self._file)
        if lang not in SYNTAXES:
            self.units = plain
            return
        regions = find_regions(self._lines, lang)[::-1]
        for unit in plain:
            while regions and regions[-1].start <= unit.row:
                self._enter(regions.pop())
            if not self.units or (unit.row > self.units[-1].row and self._is_loose(unit)):
                owner = self._owner_at(unit.row)
                self.units.append(Unit(unit.row, owner, owner, unit.depth))

    def _is_loose(self, unit: Unit) -> bool:
        """Return whether a line is part of no whole region and does not just close one."""
        return unit.row >= self._placed_to and unit.depth < CONTINUATION_COST

    def _owner_at(self, row: int) -> Definition:
        """Return the definition of the innermost open region that holds ``row``."""
        while self._open and self._open[-1].end <= row:
            self._open.pop()
        return self._definitions[self._open[-1]] if self._open else self._file

    def _enter(self, region: Region) -> None:
        """Collect a declaration, unless it is local to a function that is one chunk."""
        parent = region.parent
        owner = self._definitions.get(parent) if parent is not None else self._file
        if owner is None or (
            parent is not None and owner.kind in _FUNCTIONS and self._fits(parent)
        ):
            return
        definition = self._define(region, owner)
        self._definitions[region] = definition
        if region.start < self._placed_to:
            return
        is_whole = self._fits(region) and definition.kind != "module"
        family = self._owner_at(region.start) if is_whole else definition
        self.units.append(Unit(region.start, definition, family, opening=True))
        if is_whole:
            self._placed_to = region.end
        else:
            self._open.append(region)

    def _fits(self, region: Region) -> bool:
        """Return whether a region is small enough for one chunk."""
        return self._lines.weight(region.start, region.end) <= self._size.limit

    def _define(self, region: Region, owner: Definition) -> Definition:
        """Record the symbol of a declaration and return what names its chunks."""
        declaration = region.declaration
        is_method = declaration.kind == "function" and owner.kind not in _FUNCTIONS | {
            "lines",
            "module",
        }
        kind = "method" if is_method else declaration.kind
        qualname = ".".join(filter(None, (owner.symbol, declaration.name)))
        starts, data = self._lines.starts, self._lines.data
        doc = _doc(data[starts[region.start] : starts[region.row]].decode())
        self.symbols.append(
            Symbol(
                name=declaration.name,
                qualname=qualname,
                kind=kind,
                start_line=region.row + 1,
                end_line=region.end,
                line=region.row + 1,
                column=len(data[starts[region.row] : declaration.offset].decode()) + 1,
                doc=first_sentence(doc),
            )
        )
        return Definition(qualname, kind, doc)


def _doc(lead: str) -> str:
    """Return the prose of the lines above a declaration, attributes left out."""
    rows = lead.splitlines()
    return comment_doc(row for row in rows if row.lstrip().startswith(_COMMENT_MARKS))
