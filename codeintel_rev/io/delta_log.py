"""Vectors added and removed since a FAISS index was built: an append-only file of records.

The file begins with a magic word and the length of a vector. A record is a head (size, kind,
number of ids, a checksum of the body and one of the head) and a body (ids, then the vectors in
half precision). A record that was not written to its end was never acknowledged and is dropped.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.durability import replace_file, sync_data
from codeintel_rev.io.index_manifest import check_dimension

MAGIC = b"CIDELTA1"
"""Change the last character when the format changes."""

_START = struct.Struct("<8sI")
_HEAD = struct.Struct("<QIII")
_SUM = struct.Struct("<I")
_ADD, _REMOVE = 1, 2


class Change(NamedTuple):
    """One record: vectors added, or ids removed."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float16] | None = None
    """Shape ``(len(ids), dim)``; ``None`` = the ids are removed."""


class DeltaLog:
    """The log of one build; who appends holds the folder's lock."""

    def __init__(self, path: Path, dim: int) -> None:
        """Name the file; it is made by the first append."""
        self.path = path
        self._dim = dim
        self.end = 0
        """Where the last record that was read or written ends."""

    @property
    def is_current(self) -> bool:
        """Whether nothing was written after what this object knows."""
        return (self.path.stat().st_size if self.path.exists() else 0) == self.end

    def create(self, tail: bytes = b"") -> None:
        """Make a log of the records ``tail``, as ``tail_from`` returned them."""
        replace_file(self.path, _START.pack(MAGIC, self._dim) + tail)
        self.end = _START.size + len(tail)

    def tail_from(self, offset: int) -> bytes:
        """Return the records from ``offset`` to the last one known."""
        start = max(offset, _START.size)
        return self.path.read_bytes()[start : self.end] if self.end > start else b""

    def append(self, change: Change) -> None:
        """Write one record and make it durable; when that fails the log is as it was."""
        if not self.end:
            self.create()
        record = _encode(change)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, self.end)  # a record that a killed writer left half written
            try:
                _write(descriptor, record, self.end)
                sync_data(descriptor)
            except OSError:
                os.ftruncate(descriptor, self.end)
                raise
        finally:
            os.close(descriptor)
        self.end += len(record)

    def replay(self) -> Iterator[Change]:
        """Yield every record in order, and remember where the last one ends.

        Raises ``IndexDamaged`` when the file is not what was written, ``IndexForeign`` when it is
        of vectors of another length.
        """
        self.end = 0
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        self._check_start(data)
        self.end = _START.size
        while (found := self._record(data, self.end)) is not None:
            change, self.end = found
            yield change

    def _check_start(self, data: bytes) -> None:
        if len(data) < _START.size or not data.startswith(MAGIC):
            raise self._damaged("it does not begin as one")
        check_dimension(self.path.name, _START.unpack_from(data)[1], self._dim)

    def _record(self, data: bytes, at: int) -> tuple[Change, int] | None:
        start = at + _HEAD.size + _SUM.size
        if len(data) < start:
            return None
        size, kind, count, body_sum = _HEAD.unpack_from(data, at)
        if zlib.crc32(data[at : at + _HEAD.size]) != _SUM.unpack_from(data, at + _HEAD.size)[0]:
            if not any(data[at:]):
                return None  # a file system may lengthen a file before it holds its bytes
            raise self._damaged(f"the record at byte {at} is garbled")
        body = data[start : start + size]
        if len(body) < size:
            return None
        if zlib.crc32(body) != body_sum:
            raise self._damaged(f"the record at byte {at} is garbled")
        ids = np.frombuffer(body, dtype="<i8", count=count)
        if kind == _REMOVE:
            return Change(ids), start + size
        vectors = np.frombuffer(body, dtype="<f2", offset=ids.nbytes).reshape(count, self._dim)
        return Change(ids, vectors), start + size

    def _damaged(self, why: str) -> IndexDamaged:
        return IndexDamaged(
            f"{self.path.name} is not the log that was written: {why}",
            hint="bring back the file from a backup; without it the index is that of its last "
            "compaction",
            value=str(self.path),
        )


def _encode(change: Change) -> bytes:
    body = np.ascontiguousarray(change.ids, dtype="<i8").tobytes()
    kind = _REMOVE
    if change.vectors is not None:
        kind = _ADD
        body += np.ascontiguousarray(change.vectors, dtype="<f2").tobytes()
    head = _HEAD.pack(len(body), kind, len(change.ids), zlib.crc32(body))
    return head + _SUM.pack(zlib.crc32(head)) + body


def _write(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
