"""Where each chunk stands in the file versions that are kept at one sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal_compaction import Ref, StoredVersion
from codeintel_rev.io.parquet_store import PlaceColumns, Shown


class Places:
    """Joins rows with the file versions that have them, those that a snapshot holds first."""

    def __init__(self, versions: Sequence[StoredVersion], refs: Mapping[int, Ref]) -> None:
        ordered = sorted(versions, key=lambda version: not version.snapshots)
        self.versions = [_shown(version, refs) for version in ordered]
        """What the versions show, by the numbers that places have for them."""
        spans = [version.spans[:, :3] for version in ordered]
        rows = np.concatenate([np.zeros((0, 3), dtype=np.int32), *spans])
        owners = np.repeat(np.arange(len(spans)), [len(part) for part in spans])
        order = np.argsort(rows[:, 0], kind="stable")
        self._spans = rows[order]
        self._owners = owners[order]
        self._held = np.array([bool(version.snapshots) for version in ordered], dtype=np.bool_)

    def of(self, rows: NDArray[np.int64]) -> tuple[PlaceColumns, PlaceColumns]:
        """Return the first place of each of ``rows``, which ascend, and all others that are held."""
        low, high = np.searchsorted(self._spans[:, 0], [rows[0], rows[-1] + 1])
        chunk = np.searchsorted(rows, self._spans[low:high, 0])
        is_first = np.diff(chunk, prepend=-1) > 0
        if not np.array_equal(self._spans[low:high, 0][is_first], rows):
            raise IndexDamaged(
                f"some of the rows {rows[0]} to {rows[-1]} belong to no file version",
                hint="run `codeintel index --full`",
            )
        is_other = ~is_first & self._held[self._owners[low:high]]
        first, others = (np.flatnonzero(chosen) for chosen in (is_first, is_other))
        return self._at(chunk[first], low + first), self._at(chunk[others], low + others)

    def _at(self, chunk: NDArray[np.int64], places: NDArray[np.int64]) -> PlaceColumns:
        _, start, end = self._spans[places].T
        return PlaceColumns(chunk, start, end, self._owners[places])


def _shown(version: StoredVersion, refs: Mapping[int, Ref]) -> Shown:
    by = [refs[snapshot] for snapshot in version.snapshots]
    commit, ref = (by[0].commit, by[0].ref) if by else (None, None)
    return Shown(version.content_hash.hex(), commit, ref, [held.ref for held in by])
