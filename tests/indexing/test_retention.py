from __future__ import annotations

import numpy as np

from codeintel_rev.indexing.retention import KEEP_DAYS, retain
from codeintel_rev.io.journal_compaction import StoredVersion

DAY_NS = 86_400 * 10**9
NOW = 1_000 * DAY_NS


def version(
    number: int, rows: range, *, held: bool = False, days_ago: float | None = None
) -> StoredVersion:
    spans = np.array([(row, 1, 1, 0, 1) for row in rows], dtype=np.int32).reshape(-1, 5)
    retired = 0 if days_ago is None else NOW - int(days_ago * DAY_NS)
    return StoredVersion(number, "a.py", b"", retired, spans, (1,) if held else ())


def test_what_a_snapshot_holds_stays() -> None:
    kept, dropped = retain([version(1, range(3), held=True)], 5, NOW)
    assert kept.tolist() == [True, True, True, False, False]
    assert dropped == []


def test_what_left_long_ago_goes_and_what_left_lately_stays() -> None:
    versions = [
        version(1, range(10), held=True),
        version(2, range(10, 11), days_ago=KEEP_DAYS + 1),
        version(3, range(11, 12), days_ago=KEEP_DAYS - 1),
        version(4, range(12, 13)),
    ]
    kept, dropped = retain(versions, 13, NOW)
    assert sorted(dropped) == [2, 4]
    assert np.flatnonzero(kept).tolist() == [*range(10), 11]


def test_the_youngest_are_kept_up_to_a_share_of_the_live_rows() -> None:
    versions = [
        version(1, range(10), held=True),
        version(2, range(10, 12), days_ago=3),
        version(3, range(12, 14), days_ago=1),
        version(4, range(14, 15), days_ago=2),
    ]
    kept, dropped = retain(versions, 15, NOW)
    assert sorted(dropped) == [2, 4]
    assert np.flatnonzero(kept).tolist() == [*range(10), 12, 13]


def test_a_dead_version_whose_rows_live_on_costs_nothing() -> None:
    versions = [version(1, range(4), held=True), version(2, range(4), days_ago=1)]
    kept, dropped = retain(versions, 4, NOW)
    assert dropped == []
    assert kept.all()


def test_a_clock_that_was_set_back_drops_nothing_early() -> None:
    versions = [version(1, range(10), held=True), version(2, range(10, 11), days_ago=-30)]
    assert retain(versions, 11, NOW).dropped == []
