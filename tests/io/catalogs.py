"""Small catalogs for tests, written by the code that writes real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.catalog_builder import CHUNKS_FILE, DATABASE_FILE, build_catalog
from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.io.parquet_store import (
    CatalogRow,
    ChunksWriter,
    PlaceColumns,
    Shown,
    chunk_table,
)

DIM = 4


def catalog_row(row: int, uri: str = "a.py", content: str = "x = 1", **more: object) -> CatalogRow:
    known = CatalogRow(
        row=row,
        id=1000 + row,
        repo="shop",
        uri=uri,
        start_line=1,
        end_line=content.count("\n") + 1,
        lang="python",
        content=content,
        symbol="",
        kind="block",
        content_hash="00",
        commit=None,
        ref="worktree",
        refs=["worktree"],
    )
    return known._replace(**more)


def make_catalog(folder: Path, places: Sequence[CatalogRow], *, materialize: bool = False) -> Path:
    """Write ``chunks.parquet`` and ``catalog.duckdb``; returns the latter's path.

    A chunk at several places has several of ``places``, which ascend by row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {place.row: number for number, place in reversed([*enumerate(places)])}
    others = sorted(set(range(len(places))) - set(first.values()))
    shown = [Shown(p.content_hash, p.commit, p.ref, [*p.refs]) for p in places]

    def columns(numbers: Sequence[int], rows: NDArray[np.int64]) -> PlaceColumns:
        return PlaceColumns(
            np.searchsorted(rows, [places[n].row for n in numbers]),
            np.array([places[n].start_line for n in numbers], dtype=np.int32),
            np.array([places[n].end_line for n in numbers], dtype=np.int32),
            np.array(numbers, dtype=np.int64),
        )

    def placing(rows: NDArray[np.int64]) -> tuple[PlaceColumns, PlaceColumns]:
        return columns([first[row] for row in rows.tolist()], rows), columns(others, rows)

    stored = [
        StoredChunk(p.row, p.id, p.uri, p.lang, p.kind, p.symbol, p.content, "")
        for p in (places[number] for _, number in sorted(first.items()))
    ]
    path = folder / CHUNKS_FILE
    with ChunksWriter(path, "shop", DIM, shown, placing, sequence=1, end_row=9) as writer:
        writer.add(chunk_table(stored), np.zeros((len(stored), DIM), dtype=np.float16))
        writer.finish()
    build_catalog(folder, materialize=materialize)
    return folder / DATABASE_FILE
