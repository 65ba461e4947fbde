"""Every line of a view that matches: what the catalog knows, and what came since."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.app.hit_places import Group, Holder, placed_group
from codeintel_rev.app.narrowing import narrowed
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.searched_lines import LongLine, SearchedLines
from codeintel_rev.errors import Busy, IndexUnusable, Unavailable
from codeintel_rev.io.duckdb_catalog import DuckDBCatalog
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.io.line_scan import BLANKS
from codeintel_rev.io.text_table import BATCH_TEXTS, text_tables
from codeintel_rev.retrieval.exhaustive import Place, joined, ordered
from codeintel_rev.retrieval.hybrid import hit_of_record
from codeintel_rev.text.regex_size import QUICK_SIZE, regex_size
from codeintel_rev.types import ChunkRecord, LineMatches, LinePattern, Scope, SearchHit

_log = logging.getLogger(__name__)

_SLOW_TEXTS = 128
"""Texts that are searched at a time for a pattern that takes long: a second at worst."""

_RECORDS_KEPT = 256
"""Chunks remembered while hits are made, several of which may stand in one."""


class FoundHits(NamedTuple):
    """What was found in one repository."""

    hits: list[SearchHit]
    total: int


class LineSearch:
    """One search for lines in one view."""

    def __init__(
        self,
        view: RepositoryView,
        empty: DuckDBCatalog,
        pattern: LinePattern,
        scope: Scope | None,
        left_s: Callable[[], float],
    ) -> None:
        """Search what is not in a catalog with ``empty``, as long as ``left_s`` gives seconds."""
        self._view = view
        self._empty = empty
        self._pattern = pattern
        self._scope = scope or Scope()
        self._left_s = left_s
        self._is_slow = pattern.regex and regex_size(pattern.text) > QUICK_SIZE
        self._lines = SearchedLines.of(view)
        self._records = lru_cache(_RECORDS_KEPT)(self._read)

    def run(self, open_catalog: Callable[[], DuckDBCatalog], limit: int) -> FoundHits:
        """Return the first ``limit`` lines and the number of all.

        A catalog that cannot be read is done without: the journal holds all text, if not as fast. So
        is it for a pattern that takes long: a scan in small portions keeps to its time.
        """
        try:
            matches = self._matches(self._empty if self._is_slow else open_catalog())
        except (IndexUnusable, Busy, Unavailable) as error:
            _log.warning("%s (%s)", error.message, error.hint)
            matches = self._matches(self._empty)
        found = ordered(self._lines.texts, matches, limit)
        return FoundHits(self._hits(found.listed), found.total)

    # --- finding ------------------------------------------------------------------------------

    def _matches(self, catalog: DuckDBCatalog) -> LineMatches:
        missing = np.setdiff1d(self._lines.rows, catalog.rows)
        if not self._is_slow:
            missing = narrowed(missing, self._view, self._lines, self._pattern, self._left_s)
        scope = self._scope
        known = catalog.scan(
            self._pattern,
            include_globs=scope.include_globs,
            exclude_globs=scope.exclude_globs,
            languages=scope.languages,
            timeout_s=self._left_s(),
        )
        return joined([known, *self._scanned(missing)])

    def _scanned(self, rows: NDArray[np.int64]) -> list[LineMatches]:
        """Return what matches in these chunks and in the long lines, read from the journal."""
        texts = chain(self._view.catalog.texts(rows.tolist()), self._long_texts())
        return [
            self._empty.scan_table(self._pattern, table, timeout_s=self._left_s())
            for table in text_tables(texts, _SLOW_TEXTS if self._is_slow else BATCH_TEXTS)
        ]

    def _long_texts(self) -> Iterator[tuple[int, bytes]]:
        for number, parts in self._lines.long_lines.items():
            text = self._long_text(parts)
            if text is not None:
                yield number, text

    def _long_text(self, parts: LongLine) -> bytes | None:
        """Return a line as it was before it was cut, but with blanks for any white space there.

        ``None`` when a part of it cannot be read.
        """
        texts = dict(self._view.catalog.texts([row for row, _ in parts]))
        if not all(row in texts for row, _ in parts):
            return None
        return b"".join(b" " * gap + texts[row] for row, gap in parts)

    # --- telling ------------------------------------------------------------------------------

    def _hits(self, groups: list[list[Place]]) -> list[SearchHit]:
        found = [group for places in groups if (group := self._group(places)) is not None]
        columns = self._empty.columns(self._pattern, [group.best.code for group in found])
        return [
            replace(placed_group(self._view, group), column=first, end_column=last)
            for group, (first, last) in zip(found, columns, strict=True)
        ]

    def _group(self, places: list[Place]) -> Group | None:
        holders = [holder for place in places if (holder := self._holder(place)) is not None]
        return Group(hit_of_record(holders[0][1], 1.0), holders) if holders else None

    def _holder(self, place: Place) -> Holder | None:
        """Return the snapshot of a place, and its chunk as if it were this line alone.

        ``None`` when it cannot be read.
        """
        snapshot = self._view.snapshots[place.snapshot]
        parts = self._lines.long_lines.get(place.row)
        record = self._records(place.row if parts is None else parts[0][0]).get(snapshot)
        if record is None:
            return None
        line = None if parts is None else self._long_text(parts)
        text = record.content if line is None else line.decode()
        return snapshot, msgspec.structs.replace(
            record,
            start_line=place.line,
            end_line=place.line,
            content=text.split("\n")[place.offset].rstrip(BLANKS),
        )

    def _read(self, row: int) -> dict[Snapshot, ChunkRecord]:
        return dict(self._view.catalog.holders(row))
