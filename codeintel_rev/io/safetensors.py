"""Reading weights from a safetensors file: a JSON table of arrays, then their bytes."""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged

_LENGTH = 8
"""Bytes of the number that says how long the table is."""

_TYPES = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}


class _Entry(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


class Weights(NamedTuple):
    """The arrays of a file."""

    arrays: dict[str, NDArray[Any]]
    """By name; views of the mapped file."""
    digest: str
    """Hex SHA-256 of the file."""


def read_safetensors(path: Path, sha256: str | None = None) -> Weights:
    """Map the arrays of a file, which is that of a known SHA-256 where one is given.

    Raises ``IndexDamaged`` when the file cannot be read or is another one.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    if sha256 not in (None, digest):
        raise _damaged(path, f"has SHA-256 {digest[:12]}, expected {sha256}")
    start = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    try:
        table = msgspec.json.decode(data[_LENGTH:start], type=dict[str, Any])
        table.pop("__metadata__", None)
        entries = msgspec.convert(table, dict[str, _Entry])
        arrays = {name: _array(data, start, entry) for name, entry in entries.items()}
    except (ValueError, KeyError) as error:
        raise _damaged(path, f"cannot be read: {error}") from error
    return Weights(arrays, digest)


def _array(data: mmap.mmap, start: int, entry: _Entry) -> NDArray[Any]:
    count = int(np.prod(entry.shape, dtype=np.int64))
    first = start + entry.data_offsets[0]
    return np.frombuffer(data, _TYPES[entry.dtype], count, first).reshape(entry.shape)


def _damaged(path: Path, why: str) -> IndexDamaged:
    return IndexDamaged(
        f"the weights {path} {why}",
        hint="install the package that holds them again",
        value=str(path),
    )
