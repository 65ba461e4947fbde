"""Checksums of vectors, so that a flipped bit is found before and after compaction.

A segment's record in the journal holds a CRC for each run of vectors that lie behind one another.
Appending extends the last run, in the commit that makes the rows visible; rows that a killed writer
had reserved end it, for nobody knows what it left there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_RECORD = struct.Struct("<qqI")


class Run(NamedTuple):
    """Vectors behind one another: the places ``first`` up to ``end`` in a segment, and their CRC."""

    first: int
    end: int
    crc: int


def pack_runs(runs: Iterable[Run]) -> bytes:
    """Store runs as little-endian records."""
    return b"".join(_RECORD.pack(*run) for run in runs)


def unpack_runs(blob: bytes | None) -> list[Run]:
    """Return the runs that ``pack_runs`` stored; none for what it did not store."""
    if blob is None or len(blob) % _RECORD.size:
        return []
    return [Run(*record) for record in _RECORD.iter_unpack(blob)]


def extended(runs: Sequence[Run], first: int, vectors: NDArray[np.float16]) -> list[Run]:
    """Return ``runs`` with ``vectors`` written at the places from ``first`` on."""
    *before, last = runs or [Run(first, first, 0)]
    if last.end != first:
        before, last = list(runs), Run(first, first, 0)
    return [*before, Run(last.first, first + len(vectors), crc_of(vectors, last.crc))]


def crc_of(vectors: NDArray[np.float16], crc: int = 0) -> int:
    """Return the CRC of vectors, or continue that of the vectors before them."""
    return zlib.crc32(np.ascontiguousarray(vectors).view(np.uint8).reshape(-1).data, crc)


def is_whole(blocks: Sequence[NDArray[np.float16]], runs: Sequence[Run]) -> bool:
    """Return whether a segment, mapped as ``blocks``, holds what its runs say."""
    return all(_crc(blocks, run) == run.crc for run in runs)


def _crc(blocks: Sequence[NDArray[np.float16]], run: Run) -> int:
    crc = at = 0
    for block in blocks:
        part = block[max(0, run.first - at) : max(0, run.end - at)]
        crc = crc_of(part, crc)
        at += len(block)
    return crc
