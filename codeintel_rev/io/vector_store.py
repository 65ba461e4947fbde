"""Append-only fp16 vectors, addressed by row and memory-mapped for reading.

A segment is one file. New rows are appended to the last one, where a row's place is its distance
from the segment's first row. Compaction writes a new file of the rows that it keeps; where that
leaves gaps, a file of the sorted row numbers lies beside it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged

FP16 = np.dtype("<f2")
ROW_NUMBER = np.dtype("<i8")

_HASH_BYTES = 1 << 20
"""Bytes read at a time for a checksum."""


class Segment(NamedTuple):
    """One vector file as the journal knows it."""

    file: str
    first_row: int
    end_row: int | None = None
    """First row after it; ``None`` while rows are appended."""
    length: int | None = None
    """Vectors in the sealed file; fewer than its rows when compaction left gaps."""
    checksum: bytes | None = None
    """Of the sealed file."""

    @property
    def rows_file(self) -> str | None:
        """The file of row numbers, for a segment with gaps."""
        if self.end_row is None or self.length == self.end_row - self.first_row:
            return None
        return f"{self.file.partition('.')[0]}.rows"


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
            os.fdatasync(descriptor)
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
        """(Position of the first vector, vectors) of each segment."""
        numbers = [np.zeros(0, dtype=np.int64)]
        position = 0
        for segment in segments:
            found = _row_numbers(folder, segment, rows)
            if len(found):
                numbers.append(found)
                block = _map(folder / segment.file, FP16, (len(found), dim))
                self.blocks.append((position, block))
                position += len(found)
        self.rows: NDArray[np.int64] = np.concatenate(numbers)
        """Row number of each position, ascending."""

    def gather(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the vectors at ``positions``, shape ``(n, dim)``."""
        out = np.empty((len(positions), self.dim), dtype=FP16)
        for first, block in self.blocks:
            inside = (positions >= first) & (positions < first + len(block))
            out[inside] = block[positions[inside] - first]
        return out


class SegmentBuilder:
    """Writes a sealed segment of some of the rows below ``end_row``; a context manager."""

    def __init__(self, folder: Path, name: str, end_row: int) -> None:
        self._folder = folder
        self._name = name
        self._end_row = end_row
        self._digest = hashlib.blake2b(digest_size=16)
        self._rows: list[NDArray[np.int64]] = []
        self._file = (folder / name).open("wb")

    def __enter__(self) -> SegmentBuilder:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def add(self, rows: NDArray[np.int64], vectors: NDArray[np.floating]) -> None:
        """Append the vectors of ``rows``, which ascend from one call to the next."""
        data = np.ascontiguousarray(vectors, dtype=FP16).tobytes()
        self._digest.update(data)
        self._file.write(data)
        self._rows.append(rows)

    def finish(self) -> Segment:
        """Make everything durable and return what the journal has to know."""
        _sync(self._file)
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *self._rows])
        segment = Segment(self._name, 0, self._end_row, len(rows), self._digest.digest())
        if segment.rows_file is not None:
            with (self._folder / segment.rows_file).open("wb") as file:
                file.write(rows.astype(ROW_NUMBER).tobytes())
                _sync(file)
        return segment


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fdatasync(file.fileno())


def checksum(path: Path, size: int) -> bytes:
    """Return the hash of the first ``size`` bytes of a file."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while size > 0 and (data := file.read(min(_HASH_BYTES, size))):
            digest.update(data)
            size -= len(data)
    return digest.digest()


def _row_numbers(folder: Path, segment: Segment, rows: int) -> NDArray[np.int64]:
    name = segment.rows_file
    if name is None:
        end = rows if segment.end_row is None else min(rows, segment.end_row)
        return np.arange(segment.first_row, max(end, segment.first_row), dtype=np.int64)
    numbers = _map(folder / name, ROW_NUMBER, (segment.length or 0,))
    kept: NDArray[np.int64] = numbers[: np.searchsorted(numbers, rows)]
    return kept


def _map(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    wanted = int(np.prod(shape)) * dtype.itemsize
    size = path.stat().st_size if path.exists() else -1
    if size < wanted:
        raise IndexDamaged(
            f"the vector file {path.name} holds {max(size, 0)} bytes, its rows need {wanted}",
            hint="run `codeintel doctor --repair`",
            value=str(path),
        )
    if not wanted:
        return np.zeros(shape, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=shape)
