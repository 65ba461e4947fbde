from __future__ import annotations

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.indexing.catalog_rows import Places
from codeintel_rev.io.journal_compaction import Ref, StoredVersion
from codeintel_rev.io.parquet_store import PlaceColumns

REFS = {1: Ref("worktree", "aaa"), 2: Ref("v1", "bbb")}


def version(number: int, spans: list[tuple[int, int, int]], *snapshots: int) -> StoredVersion:
    packed = np.array([(*span, 0, 1) for span in spans], dtype=np.int32).reshape(-1, 5)
    return StoredVersion(number, "a.py", bytes([number]), 0, packed, snapshots)


def told(places: Places, columns: PlaceColumns) -> list[tuple[object, ...]]:
    return [
        (chunk, start, end, *places.versions[shown])
        for chunk, start, end, shown in zip(*(column.tolist() for column in columns), strict=True)
    ]


def test_a_chunk_stands_at_a_first_place_and_at_others_in_other_file_versions() -> None:
    versions = [version(1, [(0, 1, 2), (1, 4, 5)], 1, 2), version(2, [(1, 8, 9)], 2)]
    places = Places(versions, REFS)
    first, others = places.of(np.array([0, 1]))
    assert told(places, first) == [
        (0, 1, 2, "01", "aaa", "worktree", ["worktree", "v1"]),
        (1, 4, 5, "01", "aaa", "worktree", ["worktree", "v1"]),
    ]
    assert told(places, others) == [(1, 8, 9, "02", "bbb", "v1", ["v1"])]


def test_what_no_snapshot_holds_has_a_place_without_a_ref() -> None:
    places = Places([version(1, [(0, 1, 2)])], REFS)
    first, others = places.of(np.array([0]))
    assert told(places, first) == [(0, 1, 2, "01", None, None, [])]
    assert told(places, others) == []


def test_a_version_that_is_held_comes_before_one_that_is_not() -> None:
    places = Places([version(1, [(0, 1, 2)]), version(2, [(0, 5, 6)], 1)], REFS)
    first, others = places.of(np.array([0]))
    assert [place[1] for place in told(places, first)] == [5]
    assert told(places, others) == []


def test_batches_take_only_their_own_places() -> None:
    places = Places([version(1, [(5, 7, 9), (2, 1, 3)], 1)], REFS)
    assert [place[1] for place in told(places, places.of(np.array([2]))[0])] == [1]
    assert [place[1] for place in told(places, places.of(np.array([5]))[0])] == [7]


def test_rows_without_a_version_are_damage() -> None:
    with pytest.raises(IndexDamaged, match="belong to no file version"):
        Places([version(1, [(5, 7, 9)], 1)], REFS).of(np.array([4, 5]))
