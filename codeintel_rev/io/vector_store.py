"""Half-precision vectors, addressed by row and memory-mapped for reading.

New rows are appended to the open segment, a file in which a row's place is its distance from the
segment's first row. Compaction writes no vector file: those that it keeps lie uncompressed in
``chunks.parquet``, and are mapped there. A file beside it says where, and which rows they are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io import vector_sums
from codeintel_rev.io.durability import replace_file, sync_data
from codeintel_rev.io.packing import pack_bitmap, unpack_bitmap
from codeintel_rev.io.vector_sums import Run

FP16 = np.dtype("<f2")

_MAP_FILE = "vectors.map"
_HASH_BYTES = 1 << 20
"""Bytes read at a time for a checksum."""


class Segment(NamedTuple):
    """Vectors of a range of rows as the journal knows them."""

    file: str
    """Their file, from the folder of the vectors."""
    first_row: int
    end_row: int | None = None
    """First row after it; ``None`` while rows are appended."""
    length: int | None = None
    """Vectors in a sealed segment; fewer than its rows when compaction left gaps."""
    checksum: bytes | None = None
    """Packed runs (``vector_sums``)."""

    @property
    def map_file(self) -> str | None:
        """The file that says where the vectors are, for those that compaction wrote."""
        path = PurePosixPath(self.file)
        return str(path.with_name(_MAP_FILE)) if path.suffix == ".parquet" else None


class Block(NamedTuple):
    """Vectors behind one another in a file."""

    offset: int
    """In bytes."""
    length: int
    """How many."""
    crc: int


class _Map(msgspec.Struct, frozen=True):
    """What the file beside compacted vectors says."""

    blocks: list[tuple[int, int]]
    """(Offset in bytes, vectors) of each block."""
    rows: bytes
    """Packed bitmap of the rows."""


class VectorWriter:
    """Writes vectors of consecutive rows into one segment file."""

    def __init__(self, path: Path, dim: int, first_row: int) -> None:
        self._path = path
        self._dim = dim
        self._first_row = first_row

    def append(self, row: int, vectors: NDArray[np.floating]) -> None:
        """Write ``vectors``, shape ``(n, dim)``, as rows ``row .. row + n - 1`` and make them durable.

        Rows that a killed writer had reserved leave a hole of zeros; no snapshot names them.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self._dim:
            raise ValueError(f"vectors of shape {vectors.shape}, expected (n, {self._dim})")
        data = np.ascontiguousarray(vectors, dtype=FP16).tobytes()
        offset = (row - self._first_row) * self._dim * FP16.itemsize
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while data:
                written = os.pwrite(descriptor, data, offset)
                data, offset = data[written:], offset + written
            sync_data(descriptor)
        finally:
            os.close(descriptor)


def grow(path: Path, rows: int, dim: int) -> None:
    """Lengthen a segment file to ``rows`` rows: a killed writer may have reserved the last ones."""
    wanted = rows * dim * FP16.itemsize
    if not path.exists() or path.stat().st_size < wanted:
        with path.open("ab") as file:
            file.truncate(wanted)


class VectorReader:
    """The vectors of every segment, in row order."""

    def __init__(self, folder: Path, segments: Sequence[Segment], dim: int, rows: int) -> None:
        """Map the segments up to row ``rows - 1``.

        Raises ``IndexDamaged`` when a file is shorter than its rows.
        """
        self.dim = dim
        self.blocks: list[tuple[int, NDArray[np.float16]]] = []
        """(Position of the first vector, vectors) of each block."""
        numbers = [np.zeros(0, dtype=np.int64)]
        position = 0
        for segment in segments:
            found, blocks = _mapped(folder, segment, dim, rows)
            numbers.append(found)
            for block in blocks:
                self.blocks.append((position, block))
                position += len(block)
        self.rows: NDArray[np.int64] = np.concatenate(numbers)
        """Row number of each position, ascending."""

    def gather(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the vectors at ``positions``, shape ``(n, dim)``."""
        out = np.empty((len(positions), self.dim), dtype=FP16)
        for first, block in self.blocks:
            inside = (positions >= first) & (positions < first + len(block))
            out[inside] = block[positions[inside] - first]
        return out


def seal(
    folder: Path, file: str, dim: int, rows: NDArray[np.int64], end_row: int, blocks: list[Block]
) -> Segment:
    """Return the segment of ``rows`` that were written as ``blocks`` of a Parquet file.

    They are read back: raises ``IndexDamaged`` when something else is there.
    """
    kept = np.zeros(end_row, dtype=np.bool_)
    kept[rows] = True
    runs: list[Run] = []
    for block in blocks:
        first = runs[-1].end if runs else 0
        runs.append(Run(first, first + block.length, block.crc))
    segment = Segment(file, 0, end_row, len(rows), vector_sums.pack_runs(runs))
    assert segment.map_file is not None
    content = _Map([(block.offset, block.length) for block in blocks], pack_bitmap(kept))
    replace_file(folder / segment.map_file, msgspec.msgpack.encode(content))
    if not is_whole(folder, segment, dim):
        raise _damaged(folder / file, "does not hold the vectors that were just written")
    return segment


def is_whole(folder: Path, segment: Segment, dim: int) -> bool:
    """Return whether a segment's vectors are those that were written; raises ``IndexDamaged``."""
    runs = vector_sums.unpack_runs(segment.checksum)
    if not runs:
        return True
    rows = segment.first_row + runs[-1].end if segment.map_file is None else segment.end_row
    return vector_sums.is_whole(_mapped(folder, segment, dim, rows or 0)[1], runs)


def checksum(path: Path, size: int) -> bytes:
    """Return the hash of the first ``size`` bytes of a file."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while size > 0 and (data := file.read(min(_HASH_BYTES, size))):
            digest.update(data)
            size -= len(data)
    return digest.digest()


def _mapped(
    folder: Path, segment: Segment, dim: int, rows: int
) -> tuple[NDArray[np.int64], list[NDArray[np.float16]]]:
    """Return the row numbers below ``rows`` of a segment, ascending, and their vectors."""
    path = folder / segment.file
    if segment.map_file is not None:
        content = _read_map(folder / segment.map_file)
        numbers = np.flatnonzero(unpack_bitmap(content.rows))
        blocks = [_map(path, offset, (length, dim)) for offset, length in content.blocks]
        if len(numbers) != sum(map(len, blocks)):
            raise _damaged(folder / segment.map_file, "names other rows than it has vectors")
        return _cut(numbers, blocks, rows)
    end = rows if segment.end_row is None else min(rows, segment.end_row)
    if segment.length is not None and segment.length != (segment.end_row or 0) - segment.first_row:
        raise _damaged(path, "was compacted by an earlier program")
    numbers = np.arange(segment.first_row, max(end, segment.first_row), dtype=np.int64)
    return numbers, [_map(path, 0, (len(numbers), dim))] if len(numbers) else []


def _cut(
    numbers: NDArray[np.int64], blocks: list[NDArray[np.float16]], rows: int
) -> tuple[NDArray[np.int64], list[NDArray[np.float16]]]:
    """Leave out the rows from ``rows`` on, which an older view does not know."""
    left = int(np.searchsorted(numbers, rows))
    numbers, kept = numbers[:left], []
    for block in blocks:
        if left > 0:
            kept.append(block[:left])
        left -= len(block)
    return numbers, kept


def _read_map(path: Path) -> _Map:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Map)
    except (OSError, msgspec.MsgspecError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error


def _map(path: Path, offset: int, shape: tuple[int, int]) -> NDArray[np.float16]:
    needed = int(np.prod(shape)) * FP16.itemsize
    size = path.stat().st_size if path.exists() else -1
    if size < offset + needed:
        raise _damaged(path, f"holds {max(size, 0)} bytes, its rows need {offset + needed}")
    mapped: Any = np.memmap(path, dtype=FP16, mode="r", offset=offset, shape=shape)
    return mapped  # type: ignore[no-any-return]


def _damaged(path: Path, what: str) -> IndexDamaged:
    return IndexDamaged(
        f"the vector file {path.name} {what}",
        hint="run `codeintel doctor --repair`",
        value=str(path),
    )
