"""Every definition of a view whose name matches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from codeintel_rev.app.file_filter import FileFilter
from codeintel_rev.app.hit_places import Group, Holder, placed_group
from codeintel_rev.app.line_search import FoundHits
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.io.duckdb_catalog import DuckDBCatalog
from codeintel_rev.io.line_scan import BLANKS
from codeintel_rev.io.text_table import text_tables
from codeintel_rev.retrieval.exhaustive import Texts, joined, ordered
from codeintel_rev.retrieval.hybrid import hit_of_record
from codeintel_rev.types import LinePattern, Scope, SearchHit, Symbol


class _Candidate(NamedTuple):
    """A definition in scope."""

    snapshot: int
    path: str
    symbol: Symbol


class DefinitionSearch:
    """One search for definitions in one view; each is found at the line of its name."""

    def __init__(
        self,
        view: RepositoryView,
        engine: DuckDBCatalog,
        pattern: LinePattern,
        scope: Scope | None,
        left_s: Callable[[], float],
    ) -> None:
        """Match names with ``engine``, as long as ``left_s`` gives seconds."""
        self._view = view
        self._engine = engine
        self._pattern = pattern
        self._left_s = left_s
        self._candidates = self._in_scope(FileFilter(scope or Scope()))

    def run(self, limit: int) -> FoundHits:
        """Return the first ``limit`` definitions and the number of all."""
        names = enumerate(self._name(c.symbol).encode() for c in self._candidates)
        parts = [
            self._engine.scan_table(self._pattern, table, timeout_s=self._left_s())
            for table in text_tables(names)
        ]
        if not parts:
            return FoundHits([], 0)
        found = ordered(self._texts(), joined(parts), limit)
        groups = ([self._candidates[place.row] for place in group] for group in found.listed)
        hits = [hit for group in groups if (hit := self._hit(group)) is not None]
        return FoundHits(hits, found.total)

    def _in_scope(self, files: FileFilter) -> list[_Candidate]:
        # SQLite knows letters only within ASCII, and no regular expressions
        narrow = not self._pattern.regex and self._pattern.text.isascii()
        wanted = self._pattern.text if narrow else ""
        return [
            _Candidate(number, path, symbol)
            for number, snapshot in enumerate(self._view.snapshots)
            for path, language, symbol in self._view.catalog.symbols_like(snapshot, wanted)
            if files.match(path, language)
        ]

    def _name(self, symbol: Symbol) -> str:
        """Return what the pattern is compared with: a dotted one with the whole path."""
        dotted = not self._pattern.regex and "." in self._pattern.text
        return symbol.qualname if dotted else symbol.name

    def _texts(self) -> Texts:
        paths = sorted({candidate.path for candidate in self._candidates})
        number_of = {path: number for number, path in enumerate(paths)}
        columns = [(c.snapshot, number_of[c.path], c.symbol.line) for c in self._candidates]
        snapshots, path_numbers, lines = np.array(columns, dtype=np.int64).T
        return Texts(np.arange(len(columns)), snapshots, path_numbers, lines)

    def _hit(self, group: Sequence[_Candidate]) -> SearchHit | None:
        """Return a definition with the places that hold it; ``None`` when none can be read."""
        holders = [holder for candidate in group if (holder := self._holder(candidate)) is not None]
        if not holders:
            return None
        symbol = group[0].symbol
        record = msgspec.structs.replace(holders[0][1], symbol=symbol.qualname, kind=symbol.kind)
        end_column = symbol.column + len(symbol.name) - 1
        hit = hit_of_record(record, 1.0, column=symbol.column, end_column=end_column)
        return placed_group(self._view, Group(hit, holders))

    def _holder(self, candidate: _Candidate) -> Holder | None:
        """Return the snapshot of a definition, and its chunk as if it were the name's line alone.

        ``None`` when the index holds no chunk there, or one that cannot be read.
        """
        snapshot = self._view.snapshots[candidate.snapshot]
        line = candidate.symbol.line
        row = self._view.catalog.row_at(snapshot, candidate.path, line)
        held = {} if row is None else dict(self._view.catalog.holders(row))
        record = held.get(snapshot)
        if record is None:
            return None
        text = record.content.split("\n")[line - record.start_line].rstrip(BLANKS)
        return snapshot, msgspec.structs.replace(
            record, start_line=line, end_line=line, content=text
        )
