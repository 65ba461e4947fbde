"""Append-only fp16 vectors, addressed by row and memory-mapped for reading."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged

FP16 = np.dtype("<f2")


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


class VectorReader:
    """The rows ``0 .. rows - 1`` of every segment."""

    def __init__(
        self, folder: Path, segments: Sequence[tuple[str, int]], dim: int, rows: int
    ) -> None:
        """Map the segments; raises ``IndexDamaged`` when a file is shorter than its rows."""
        self.dim = dim
        self.rows = rows
        self.blocks: list[tuple[int, NDArray[np.float16]]] = []
        ends = [first for _, first in segments[1:]] + [rows]
        for (name, first), end in zip(segments, ends, strict=True):
            if end > first:
                self.blocks.append((first, _map(folder / name, end - first, dim)))


def _map(path: Path, rows: int, dim: int) -> NDArray[np.float16]:
    wanted = rows * dim * FP16.itemsize
    size = path.stat().st_size if path.exists() else -1
    if size < wanted:
        raise IndexDamaged(
            f"the vector file {path.name} holds {max(size, 0)} bytes, its rows need {wanted}",
            hint="run `codeintel index --full` to rebuild it",
            value=str(path),
        )
    return np.memmap(path, dtype=FP16, mode="r", shape=(rows, dim))
