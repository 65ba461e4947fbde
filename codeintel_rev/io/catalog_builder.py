"""The catalog's DuckDB file: a view over ``chunks.parquet``, made once."""

from __future__ import annotations

from pathlib import Path

import duckdb

CHUNKS_FILE = "chunks.parquet"
DATABASE_FILE = "catalog.duckdb"


def build_catalog(folder: Path, dim: int) -> None:
    """Make ``catalog.duckdb`` beside ``chunks.parquet``.

    The view names the file without its folder, so that a data directory can be moved; readers set
    ``file_search_path`` to the folder.
    """
    with duckdb.connect(folder / DATABASE_FILE, config={"threads": 1}) as connection:
        connection.execute("SET file_search_path = ?", [str(folder)])
        connection.execute(
            "CREATE VIEW chunks AS SELECT * REPLACE"  # noqa: S608  a number and a constant
            f" (embedding::FLOAT[{dim:d}] AS embedding) FROM read_parquet('{CHUNKS_FILE}')"
        )
        connection.execute("CHECKPOINT")
