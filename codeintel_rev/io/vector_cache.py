"""Vectors that are dear to compute, kept by the ids of their chunks.

An id is a hash of all that a chunk is made of, so that a kept vector never goes stale. What is here can
be deleted at any time; it is computed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

_BATCH = 500
"""Ids of one statement."""


class VectorCache:
    """A table of half-precision vectors in SQLite; safe to share between threads and processes.

    Where nothing can be written it lives in memory.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(str(path))
        except (OSError, sqlite3.Error):
            self._connection = _opened(":memory:")

    def get(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of those ids that have one."""
        found: dict[int, NDArray[np.float32]] = {}
        with self._lock:
            for start in range(0, len(ids), _BATCH):
                batch = ids[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                rows = self._connection.execute(
                    f"SELECT id, vector FROM vector WHERE id IN ({marks})",  # noqa: S608  marks only
                    tuple(batch),
                )
                for row in rows:
                    found[row[0]] = np.frombuffer(row[1], dtype=np.float16).astype(np.float32)
        return found

    def put(self, vectors: Mapping[int, NDArray[np.float32]]) -> None:
        """Keep vectors; a full or read-only disk is passed over, as nothing is lost."""
        rows = [(key, vector.astype(np.float16).tobytes()) for key, vector in vectors.items()]
        with self._lock:
            try:
                with self._connection:
                    self._connection.executemany("INSERT OR IGNORE INTO vector VALUES (?, ?)", rows)
            except sqlite3.OperationalError:
                return

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _opened(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vector (id INTEGER PRIMARY KEY, vector BLOB NOT NULL)"
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection
