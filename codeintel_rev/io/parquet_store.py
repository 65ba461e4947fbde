"""``chunks.parquet``: every stored chunk where file versions have it, and its vector.

Chunks come in row groups of ascending rows, each chunk once, at its first place. Where some of them
stand at other places too, a row group of those follows. Vectors are one uncompressed page a row
group, so that the file serves as their store: ``ChunksWriter.blocks`` says where they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.io.vector_store import FP16, Block
from codeintel_rev.io.vector_sums import crc_of

CHUNKS_FILE = "chunks.parquet"
DATABASE_FILE = "catalog.duckdb"
"""The DuckDB file beside it, with the view ``chunks``."""

FORMAT = 1
"""Version of the columns and of the view over them. Bump when either changes: a file of another
format is not taken over into the next one."""
FORMAT_KEY = b"codeintel.format"
MATERIALIZED_KEY = b"codeintel.materialized"
"""Where the metadata says whether the database beside the file holds a copy of it."""
SEQUENCE_KEY = b"codeintel.sequence"
"""Where the file's metadata says which commit of the journal it was made from."""
END_ROW_KEY = b"codeintel.end_row"
"""Where it says which row numbers it covers: those below."""

GROUP_ROWS = 16_384
"""Rows a row group: the vectors of a million rows are 62 maps, and a group takes 25 MB to write."""

_ZSTD_LEVEL = 1
"""Fastest: level 3 saves 3% of the file for half as much time again."""
_ONE_PAGE = (1 << 31) - 1
"""A page of a column is cut after so many bytes, or values: never."""
_REPEATING = ("repo", "uri", "lang", "symbol", "kind", "content_hash", "commit", "ref")
_REPEATING_ELEMENTS = "refs.list.element"
"""Columns in which a value is stored once and then numbered; Parquet knows a list by its elements."""
_OWN = ("row", "id", "uri", "lang", "kind", "symbol", "content")
"""Columns that belong to the chunk itself, wherever it stands."""
_FROM_JOURNAL = ("row", "id", "path", "lang", "kind", "symbol", "text")
"""The same of a stored chunk."""
_ABSENT = ("commit", "ref")
"""Columns that may be null."""


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
    ref: str | None
    """The first snapshot that holds the file version; null where none does any more."""
    refs: Sequence[str]
    """All snapshots that hold it."""


class Shown(NamedTuple):
    """What all chunks of one file version have in common."""

    content_hash: str
    commit: str | None
    ref: str | None
    refs: list[str]


class PlaceColumns(NamedTuple):
    """Where chunks stand, an element a place."""

    chunk: NDArray[np.int64]
    """Which of the chunks."""
    start_line: NDArray[np.int32]
    end_line: NDArray[np.int32]
    version: NDArray[np.int64]
    """Which of the file versions."""

    def part(self, first: int, end: int) -> PlaceColumns:
        """Return the places from ``first`` up to ``end``."""
        chunk, start_line, end_line, version = self
        at = slice(first, end)
        return PlaceColumns(chunk[at], start_line[at], end_line[at], version[at])


Placing = Callable[[NDArray[np.int64]], tuple[PlaceColumns, PlaceColumns]]
"""Takes ascending rows and returns the first place of each, and all other places."""


class ChunksWriter:
    """Writes the file; a context manager."""

    def __init__(
        self,
        path: Path,
        repo: str,
        dim: int,
        versions: Sequence[Shown],
        placing: Placing,
        *,
        sequence: int,
        end_row: int,
        materialized: bool = False,
    ) -> None:
        marks = {FORMAT_KEY: FORMAT, SEQUENCE_KEY: sequence, END_ROW_KEY: end_row}
        marks[MATERIALIZED_KEY] = int(materialized)
        self._repo = repo
        self._dim = dim
        self._versions = _version_table(versions)
        self._placing = placing
        self._schema = _schema(dim).with_metadata(
            {key: str(mark).encode() for key, mark in marks.items()}
        )
        self._path = path
        self._waiting: list[tuple[pa.Table, NDArray[np.float16]]] = []
        self._groups = 0
        self._own_groups: list[tuple[int, int, int]] = []
        """(Row group, chunks, CRC of their vectors)."""
        columns = [name for name in self._schema.names if name != "embedding"]
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            # vectors do not compress
            compression=dict.fromkeys(columns, "zstd") | {"embedding": "none"},
            compression_level=dict.fromkeys(columns, _ZSTD_LEVEL),
            use_dictionary=[*_REPEATING, _REPEATING_ELEMENTS],
            write_statistics=["row", "id", "uri", "lang", "kind", "start_line", "end_line"],
            write_page_checksum=True,
            data_page_size=_ONE_PAGE,
            max_rows_per_page=_ONE_PAGE,
        )

    def __enter__(self) -> ChunksWriter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._writer.close()

    def add(self, chunks: pa.Table, vectors: NDArray[np.float16]) -> None:
        """Take chunks, whose rows ascend from one call to the next, and ``(n, dim)`` vectors."""
        self._waiting.append((chunks, vectors))
        if sum(len(table) for table, _ in self._waiting) >= GROUP_ROWS:
            self._write_groups(GROUP_ROWS)

    def finish(self) -> list[Block]:
        """Write what is left, end the file, and return where the vectors of the chunks lie."""
        self._write_groups(1)
        self._writer.close()
        file = pq.read_metadata(self._path)
        column = self._schema.names.index("embedding")
        return [
            Block(_values_at(file.row_group(group).column(column), length * self._dim), length, crc)
            for group, length, crc in self._own_groups
        ]

    def _write_groups(self, least: int) -> None:
        """Write row groups as long as there are ``least`` chunks."""
        if not self._waiting:
            return
        chunks = pa.concat_tables([table for table, _ in self._waiting])
        vectors = np.concatenate([part for _, part in self._waiting])
        at = 0
        while len(chunks) - at >= least:
            self._write_group(chunks.slice(at, GROUP_ROWS), vectors[at : at + GROUP_ROWS])
            at += GROUP_ROWS
        self._waiting = [(chunks.slice(at), vectors[at:])] if at < len(chunks) else []

    def _write_group(self, chunks: pa.Table, vectors: NDArray[np.float16]) -> None:
        first, others = self._placing(chunks["row"].to_numpy())
        self._own_groups.append((self._groups, len(chunks), crc_of(vectors)))
        self._write(chunks, vectors, first)
        for at in range(0, len(others.chunk), GROUP_ROWS):
            part = others.part(at, at + GROUP_ROWS)
            self._write(chunks.take(pa.array(part.chunk)), vectors[part.chunk], part)

    def _write(self, chunks: pa.Table, vectors: NDArray[np.float16], places: PlaceColumns) -> None:
        flat = pa.array(np.ascontiguousarray(vectors, dtype=FP16).ravel())
        shown = self._versions.take(pa.array(places.version))
        columns = {name: chunks[name] for name in _OWN} | {
            "repo": pa.repeat(self._repo, len(chunks)),
            "start_line": pa.array(places.start_line, pa.int32()),
            "end_line": pa.array(places.end_line, pa.int32()),
            "embedding": pa.FixedSizeListArray.from_arrays(
                flat, type=self._schema.field("embedding").type
            ),
        }
        columns |= {name: shown[name] for name in shown.column_names}
        arrays = [columns[name] for name in self._schema.names]
        self._writer.write_table(
            pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=len(chunks)
        )
        self._groups += 1


def chunk_table(chunks: Sequence[StoredChunk]) -> pa.Table:
    """Return what belongs to chunks themselves, as ``ChunksWriter`` takes it."""
    columns = [[getattr(chunk, name) for chunk in chunks] for name in _FROM_JOURNAL]
    schema = pa.schema([_schema(1).field(name) for name in _OWN])
    arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def stored_chunks(path: Path, kept: NDArray[np.bool_]) -> Iterator[pa.Table]:
    """Yield what a file holds of the chunks in ``kept``, a bit a row; each once, rows ascending.

    Raises ``IndexDamaged`` for what cannot be read or is not as it was written.
    """
    last = -1
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            found = (file.schema_arrow.metadata or {}).get(FORMAT_KEY)
            if found != str(FORMAT).encode():
                raise OSError(f"it has format {found!r}, this program writes format {FORMAT}")
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=list(_OWN), use_threads=False)
                rows = table["row"].to_numpy()
                if len(rows) and rows[0] > last:  # else these stood in the group before
                    last = int(rows[-1])
                    yield table.filter(pa.array(kept[rows])).select(_OWN)
    except (OSError, pa.ArrowException, KeyError, IndexError) as error:
        raise IndexDamaged(
            f"the catalog {path.name} cannot be read: {' '.join(str(error).split())}",
            hint="run `codeintel doctor --repair`",
            value=str(path),
        ) from error


def read_marks(path: Path) -> tuple[int, int]:
    """Return (sequence, end row) of a file; raises ``OSError`` or ``ValueError`` for a foreign one."""
    found = pq.read_schema(path).metadata or {}
    if SEQUENCE_KEY not in found or END_ROW_KEY not in found:
        raise ValueError(f"{path.name} does not say which commit it was made from")
    return int(found[SEQUENCE_KEY]), int(found[END_ROW_KEY])


def read_pages(path: Path) -> None:
    """Read every value; raises ``OSError`` where a page is not as it was written."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            file.read_row_group(group, use_threads=False)


def is_materialized(path: Path) -> bool:
    """Return whether the database beside a readable file holds a copy of it, and no view."""
    return (pq.read_schema(path).metadata or {}).get(MATERIALIZED_KEY) != b"0"


def _values_at(column: pq.ColumnChunkMetaData, values: int) -> int:
    """Return the offset of a column's values: they end its only page, after the list's shape."""
    end = int(column.data_page_offset + column.total_compressed_size)
    return end - values * FP16.itemsize


def _version_table(versions: Sequence[Shown]) -> pa.Table:
    names = Shown._fields
    columns = zip(*versions, strict=True) if versions else [()] * len(names)
    schema = pa.schema([_schema(1).field(name) for name in names])
    arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _schema(dim: int) -> pa.Schema:
    whole = {"row": pa.int64(), "id": pa.int64(), "start_line": pa.int32(), "end_line": pa.int32()}
    fields = [
        pa.field(name, whole.get(name, pa.string()), nullable=name in _ABSENT)
        for name in CatalogRow._fields
        if name != "refs"
    ]
    fields.append(pa.field("refs", pa.list_(pa.string()), nullable=False))
    number = pa.field("element", pa.float16(), nullable=False)
    fields.append(pa.field("embedding", pa.list_(number, dim), nullable=False))
    return pa.schema(fields)


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # half a surrogate pair, as in a file name that is no UTF-8
        return pa.array([_encodable(value) for value in values], kind)


def _encodable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
