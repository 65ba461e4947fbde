"""Small catalogs for tests, written by the code that writes real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codeintel_rev.io.catalog_builder import CHUNKS_FILE, DATABASE_FILE, build_catalog
from codeintel_rev.io.parquet_store import CatalogRow, ChunksWriter

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


def make_catalog(folder: Path, rows: Sequence[CatalogRow], *, materialize: bool = False) -> Path:
    """Write ``chunks.parquet`` and ``catalog.duckdb``; returns the latter's path."""
    folder.mkdir(parents=True, exist_ok=True)
    with ChunksWriter(folder / CHUNKS_FILE, DIM, sequence=1, end_row=len(rows)) as writer:
        writer.add(rows, np.zeros((len(rows), DIM), dtype=np.float16))
    build_catalog(folder, materialize=materialize)
    return folder / DATABASE_FILE
