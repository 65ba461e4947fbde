"""FAISS indexes on disk: written with a checksum, and read only when they still have it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from codeintel_rev.errors import IndexDamaged, IndexForeign
from codeintel_rev.io.vector_store import checksum

_BUFFER = 1 << 20
"""Bytes handed to the file at a time."""


def load_faiss() -> Any:
    """Import FAISS with one thread a search.

    One query on two threads is no faster, and idle OpenMP threads spin: on a busy machine a search
    took 26 ms instead of 1.
    """
    import faiss

    faiss.omp_set_num_threads(1)
    return faiss


def write_index(index: Any, path: Path) -> str:
    """Write a FAISS index durably; returns its checksum in hex."""
    faiss = load_faiss()
    digest = hashlib.blake2b(digest_size=16)
    with path.open("wb") as file:

        def write(data: bytes) -> int:
            digest.update(data)
            return file.write(data)

        # not by name: an error of the disk comes back as it is only through Python's own file
        writer = faiss.BufferedIOWriter(faiss.PyCallbackIOWriter(write, _BUFFER), _BUFFER)
        faiss.write_index(index, writer)
        del writer
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def read_index(path: Path, expected: str | None = None, *, mapped: bool = False) -> Any:
    """Read a FAISS index that compares by inner product; ``mapped`` leaves its lists in the file.

    Raises ``IndexDamaged`` when the file is missing, is none, or has not the checksum ``expected``,
    and ``IndexForeign`` for another metric.
    """
    verify(path, expected)
    faiss = load_faiss()
    try:
        index = faiss.read_index(os.fspath(path), faiss.IO_FLAG_MMAP if mapped else 0)
    except RuntimeError as error:
        raise damaged(path, "FAISS cannot read it") from error
    if index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise IndexForeign(
            f"Metric mismatch: {path.name} compares by metric {index.metric_type} of FAISS, "
            f"inner product ({faiss.METRIC_INNER_PRODUCT}) is expected",
            hint="build the index anew from the vectors",
            value=str(path),
        )
    if mapped and hasattr(index, "invlists"):
        # else each search starts threads to read ahead: five times the processor time
        faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0
    return index


def verify(path: Path, expected: str | None) -> None:
    """Raise ``IndexDamaged`` when the file is missing or has another checksum than ``expected``."""
    if not path.exists():
        raise damaged(path, "it is missing")
    if expected is not None and checksum(path, path.stat().st_size).hex() != expected:
        raise damaged(path, "its bytes are not those that were written")


def damaged(path: Path, why: str) -> IndexDamaged:
    """Return the error about a file that cannot be used."""
    return IndexDamaged(
        f"{path.name} is damaged: {why}",
        hint="bring back the folder from a backup, or build the index anew from the vectors",
        value=str(path),
    )
