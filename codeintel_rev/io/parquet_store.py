"""``chunks.parquet``: every chunk of the snapshots at one sequence, with its vector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

SEQUENCE_KEY = b"codeintel.sequence"
"""Where the file's metadata says which commit of the journal it was made from."""
END_ROW_KEY = b"codeintel.end_row"
"""Where it says which row numbers it covers: those below."""

_ZSTD_LEVEL = 1
"""Fastest: level 3 saves 3% of the file for half as much time again."""
_REPEATING = ("repo", "uri", "lang", "symbol", "kind", "content_hash", "commit", "ref", "refs")
"""Columns in which a value is stored once and then numbered."""


class CatalogRow(NamedTuple):
    """One chunk at one place: the columns but the vector, in their order."""

    row: int
    id: int
    repo: str
    uri: str
    start_line: int
    end_line: int
    lang: str
    content: str
    symbol: str
    kind: str
    content_hash: str
    """Hex hash of the file version's bytes."""
    commit: str | None
    ref: str
    """The first snapshot that holds the file version."""
    refs: Sequence[str]
    """All snapshots that hold it."""


class ChunksWriter:
    """Writes the file in row groups; a context manager."""

    def __init__(self, path: Path, dim: int, *, sequence: int, end_row: int) -> None:
        self._dim = dim
        metadata = {SEQUENCE_KEY: str(sequence).encode(), END_ROW_KEY: str(end_row).encode()}
        self._schema = _schema(dim).with_metadata(metadata)
        columns = [name for name in self._schema.names if name != "embedding"]
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            # vectors do not compress
            compression=dict.fromkeys(columns, "zstd") | {"embedding": "none"},
            compression_level=dict.fromkeys(columns, _ZSTD_LEVEL),
            use_dictionary=list(_REPEATING),
        )

    def __enter__(self) -> ChunksWriter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._writer.close()

    def add(self, rows: Sequence[CatalogRow], vectors: NDArray[np.float16]) -> None:
        """Write one row group; ``vectors`` has shape ``(len(rows), dim)``."""
        columns = zip(*rows, strict=True) if rows else [()] * len(CatalogRow._fields)
        arrays = [
            _array(values, field.type) for values, field in zip(columns, self._schema, strict=False)
        ]
        flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float16).ravel())
        arrays.append(pa.FixedSizeListArray.from_arrays(flat, self._dim))
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))


def read_marks(path: Path) -> tuple[int, int]:
    """Return (sequence, end row) of a file; raises ``OSError`` or ``ValueError`` for a foreign one."""
    found = pq.read_schema(path).metadata or {}
    if SEQUENCE_KEY not in found or END_ROW_KEY not in found:
        raise ValueError(f"{path.name} does not say which commit it was made from")
    return int(found[SEQUENCE_KEY]), int(found[END_ROW_KEY])


def _schema(dim: int) -> pa.Schema:
    whole = {"row": pa.int64(), "id": pa.int64(), "start_line": pa.int32(), "end_line": pa.int32()}
    fields = [
        pa.field(name, whole.get(name, pa.string()), nullable=name == "commit")
        for name in CatalogRow._fields
        if name != "refs"
    ]
    fields.append(pa.field("refs", pa.list_(pa.string()), nullable=False))
    fields.append(pa.field("embedding", pa.list_(pa.float16(), dim), nullable=False))
    return pa.schema(fields)


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # half a surrogate pair, as in a file name that is no UTF-8
        return pa.array([_encodable(value) for value in values], kind)


def _encodable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
