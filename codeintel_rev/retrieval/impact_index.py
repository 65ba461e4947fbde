"""Postings of weighted terms, as a sparse matrix in mapped files.

A query multiplies the rows of its terms: some hundred thousand additions, exact, and without another
engine. Lucene would skip what cannot reach the top, and would need Java for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.types import SparseVector

OFFSETS, ROWS, IMPACTS = "offsets.npy", "rows.npy", "impacts.npy"
"""Where each term's postings begin, and in one order their rows and weights."""


class Written(NamedTuple):
    """What was written."""

    vectors: int
    """Those without terms included."""
    postings: int


class ImpactIndex:
    """Searches the rows that were indexed; safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        """Map the files in ``folder``; raises ``IndexDamaged``."""
        self._folder = folder
        try:
            self._offsets: NDArray[np.int64] = np.load(folder / OFFSETS)
            self._rows: NDArray[np.int32] = np.load(folder / ROWS, mmap_mode="r")
            self._impacts: NDArray[np.float16] = np.load(folder / IMPACTS, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise _damaged(folder, str(error)) from error
        if not len(self._rows) == len(self._impacts) == int(self._offsets[-1]):
            raise _damaged(folder, "its files are of different lengths")

    def check(self, end_row: int) -> int:
        """Return the number of postings; raises ``IndexDamaged`` for what no encoder wrote."""
        if len(self._rows) and not 0 <= int(self._rows.min()) <= int(self._rows.max()) < end_row:
            raise _damaged(self._folder, f"it has rows that are not below {end_row}")
        if not np.isfinite(self._impacts.sum(dtype=np.float64)):
            raise _damaged(self._folder, "a weight is no number")
        return len(self._rows)

    def search(
        self, query: SparseVector, k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]``, by their inner product, ties by row."""
        scores = np.zeros(len(mask), dtype=np.float32)
        for term, weight in zip(query.terms.tolist(), query.weights.tolist(), strict=True):
            if term + 1 >= len(self._offsets):
                break
            postings = slice(self._offsets[term], self._offsets[term + 1])
            rows = self._rows[postings]
            known = int(np.searchsorted(rows, len(mask)))
            scores[rows[:known]] += self._impacts[postings][:known] * np.float32(weight)
        scores[~mask] = 0.0
        found = np.flatnonzero(scores)
        best = found[np.lexsort((found, -scores[found]))[:k]]
        return best.astype(np.int64), scores[best]


def write_impacts(folder: Path, vectors: Iterable[tuple[int, SparseVector]]) -> Written:
    """Write the postings of (row, vector) pairs in the order of rows; returns how many they were."""
    rows, terms, impacts = [], [], []
    for row, vector in vectors:
        rows.append(np.full(len(vector.terms), row, dtype=np.int32))
        terms.append(vector.terms)
        impacts.append(vector.weights.astype(np.float16))
    all_terms = np.concatenate([np.zeros(0, dtype=np.int32), *terms])
    order = np.argsort(all_terms, kind="stable")
    counts = np.bincount(all_terms, minlength=1)
    folder.mkdir(parents=True)
    np.save(folder / OFFSETS, np.concatenate([[0], np.cumsum(counts)]))
    np.save(folder / ROWS, np.concatenate([np.zeros(0, dtype=np.int32), *rows])[order])
    np.save(folder / IMPACTS, np.concatenate([np.zeros(0, dtype=np.float16), *impacts])[order])
    return Written(len(rows), len(order))


def _damaged(folder: Path, why: str) -> IndexDamaged:
    return IndexDamaged(
        f"the sparse index {folder} cannot be read: {why}",
        hint="run `codeintel compact`",
        value=str(folder),
    )
