"""The catalog's DuckDB file: a view over ``chunks.parquet``, or a copy of it, made once."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.parquet_store import CHUNKS_FILE, DATABASE_FILE, CatalogRow
from codeintel_rev.io.search_path import search_path

__all__ = ["CHUNKS_FILE", "DATABASE_FILE", "build_catalog", "create_chunks"]

_TYPES = {
    "row": "BIGINT",
    "id": "BIGINT",
    "start_line": "INTEGER",
    "end_line": "INTEGER",
    "refs": "VARCHAR[]",
}
"""Columns that are no text."""


def build_catalog(folder: Path, *, materialize: bool = False) -> None:
    """Make ``catalog.duckdb`` beside ``chunks.parquet``."""
    with duckdb.connect(folder / DATABASE_FILE, config={"threads": 1}) as connection:
        connection.execute("SET file_search_path = ?", [search_path(folder)])
        create_chunks(connection, folder, materialize=materialize)
        connection.execute("CHECKPOINT")


def create_chunks(
    connection: duckdb.DuckDBPyConnection, folder: Path | None, *, materialize: bool
) -> None:
    """Make ``chunks`` from the Parquet file in ``folder``; an empty table where there is none.

    A view names the file without its folder, so that a data directory can be moved; readers set
    ``file_search_path`` to the folder, as the connection has it. Existing ``chunks`` are kept.

    Raises ``IndexDamaged`` for a file that is no Parquet.
    """
    if _has_chunks(connection):
        return
    if folder is None or not (folder / CHUNKS_FILE).is_file():
        columns = ", ".join(f'"{name}" {_TYPES.get(name, "TEXT")}' for name in CatalogRow._fields)
        connection.execute(f"CREATE TABLE chunks ({columns}, embedding FLOAT[])")
        return
    connection.execute(
        f"CREATE {'TABLE' if materialize else 'VIEW'} chunks AS SELECT *"  # noqa: S608  a number
        f" REPLACE (embedding::FLOAT[{_dim(folder / CHUNKS_FILE):d}] AS embedding)"
        f" FROM read_parquet('{CHUNKS_FILE}') WHERE ref IS NOT NULL"
    )


def _has_chunks(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute("FROM information_schema.tables WHERE table_name = 'chunks'")
    return found.fetchone() is not None


def _dim(chunks: Path) -> int:
    try:
        return int(pq.read_schema(chunks).field("embedding").type.list_size)
    except (OSError, pa.ArrowInvalid, KeyError, AttributeError) as error:
        raise IndexDamaged(
            f"{chunks.name} is no Parquet file of chunks: {error}",
            hint="run `codeintel doctor --repair`",
            value=str(chunks),
        ) from error
