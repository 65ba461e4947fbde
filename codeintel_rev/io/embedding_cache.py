"""Vectors that a model server has made once, so that an interrupted index goes on where it was."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io import storage_failure

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, vector BLOB NOT NULL
)
"""
_ASKED_AT_ONCE = 500
_LEFT_SHARE = 0.75
"""Share of the limit that is left when older vectors have to go."""
_OVERHEAD = 64
"""Bytes that a row costs beside its vector, about."""


def cache_file(folder: Path, fingerprint: str) -> Path:
    """Return where the vectors of one model are kept."""
    return folder / f"{fingerprint[:16]}.sqlite"


class EmbeddingCache:
    """Vectors by the text that they were made of; one file a model, used by one thread.

    Several processes may share it. It holds nothing that cannot be made again: a file that cannot
    be read is replaced.
    """

    def __init__(self, file: Path, dim: int, limit_bytes: int) -> None:
        """Open the vectors in ``file``, of which the newest ``limit_bytes`` are kept."""
        self._dim = dim
        with storage_failure.explained(file.parent):
            file.parent.mkdir(exist_ok=True)
            try:
                self._db = _opened(file)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                file.unlink()
                self._db = _opened(file)
            self._drop_oldest(limit_bytes // (2 * dim + _OVERHEAD))

    def get(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float16]]:
        """Return the vectors that are known of ``keys``, each of shape ``(dim,)``.

        Those that cannot be read are as good as unknown.
        """
        try:
            return self._get(keys)
        except sqlite3.Error as error:
            _log.warning("kept vectors cannot be read: %s", error)
            return {}

    def _get(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float16]]:
        found: dict[bytes, NDArray[np.float16]] = {}
        for start in range(0, len(keys), _ASKED_AT_ONCE):
            asked = keys[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(asked))
            rows = self._db.execute(
                f"SELECT key, vector FROM vectors WHERE key IN ({marks})",  # noqa: S608
                asked,
            )
            found |= {key: np.frombuffer(vector, dtype="<f2") for key, vector in rows}
        return {key: vector for key, vector in found.items() if len(vector) == self._dim}

    def put(self, vectors: Mapping[bytes, NDArray[np.float16]]) -> None:
        """Keep vectors; a kill afterwards does not lose them, a disk that takes no more does."""
        rows = [(key, vector.astype("<f2").tobytes()) for key, vector in vectors.items()]
        insert = "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)"
        try:
            with self._db:
                self._db.executemany(insert, rows)
        except sqlite3.Error as error:
            _log.warning("%d vectors are not kept: %s", len(rows), error)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _drop_oldest(self, limit: int) -> None:
        (count,) = self._db.execute("SELECT COUNT(*) FROM vectors").fetchone()
        if count <= limit:
            return
        with self._db:
            self._db.execute(
                "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY id LIMIT ?)",
                (count - int(limit * _LEFT_SHARE),),
            )
        self._db.execute("VACUUM")


def key_of(text: str) -> bytes:
    """Return the key of a text."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=30.0, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database
