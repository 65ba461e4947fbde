"""What a catalog holds, for who compares it with the journal."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.catalog_builder import CHUNKS_FILE, DATABASE_FILE
from codeintel_rev.io.parquet_store import read_marks, read_pages
from codeintel_rev.io.search_path import search_path


class CatalogContents(NamedTuple):
    """The parts of a catalog that the journal knows too."""

    sequence: int
    end_row: int
    dim: int
    """Length of the vectors; 0 in an empty catalog."""
    rows: NDArray[np.int64]
    """Each chunk once, ascending."""
    ids: NDArray[np.int64]


def read_catalog(folder: Path) -> CatalogContents:
    """Read every value of a catalog; raises ``ValueError`` for one that cannot be read."""
    try:
        sequence, end_row = read_marks(folder / CHUNKS_FILE)
        read_pages(folder / CHUNKS_FILE)
        with duckdb.connect(folder / DATABASE_FILE, read_only=True) as connection:
            connection.execute("SET file_search_path = ?", [search_path(folder)])
            widths = connection.execute("SELECT DISTINCT len(embedding) FROM chunks").fetchall()
            found = connection.execute("SELECT DISTINCT row, id FROM chunks ORDER BY row")
            columns = found.fetchnumpy()
    except (OSError, duckdb.Error) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if len(widths) > 1:
        raise ValueError("its vectors differ in length")
    dim = int(widths[0][0]) if widths else 0
    return CatalogContents(sequence, end_row, dim, columns["row"], columns["id"])
