"""What compaction keeps of the versions that no snapshot holds (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.journal_compaction import StoredVersion

KEEP_DAYS = 7
"""A version that left its last snapshot within this time may come back, as a branch does."""
KEEP_SHARE = 0.2
"""At most this many rows are kept for that, as a share of the live ones."""

_DAY_NS = 86_400 * 10**9


class Retention(NamedTuple):
    """What stays and what goes."""

    kept: NDArray[np.bool_]
    """For each row number below ``row_count``."""
    dropped: list[int]
    """Versions that go."""


def retain(versions: Sequence[StoredVersion], row_count: int, now_ns: int) -> Retention:
    """Keep what a snapshot holds, and of the rest the youngest within age and share."""
    kept = np.zeros(row_count, dtype=np.bool_)
    for version in versions:
        if version.snapshots:
            kept[version.spans[:, 0]] = True
    budget = int(kept.sum() * KEEP_SHARE)
    oldest_ns = now_ns - KEEP_DAYS * _DAY_NS
    dropped = []
    loose = (version for version in versions if not version.snapshots)
    for version in sorted(loose, key=lambda v: v.retired_ns, reverse=True):
        rows = version.spans[:, 0]
        added = np.unique(rows[~kept[rows]])
        if version.retired_ns < oldest_ns or len(added) > budget:
            dropped.append(version.id)
        else:
            kept[added] = True
            budget -= len(added)
    return Retention(kept, dropped)
