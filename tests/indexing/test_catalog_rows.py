from __future__ import annotations

import numpy as np

from codeintel_rev.indexing.catalog_rows import Places
from codeintel_rev.io.journal_compaction import Ref, StoredChunk, StoredVersion

REFS = {1: Ref("worktree", "aaa"), 2: Ref("v1", "bbb")}


def version(number: int, spans: list[tuple[int, int, int]], *snapshots: int) -> StoredVersion:
    packed = np.array([(*span, 0, 1) for span in spans], dtype=np.int32).reshape(-1, 5)
    return StoredVersion(number, "a.py", bytes([number]), 0, packed, snapshots)


def chunk(row: int) -> StoredChunk:
    return StoredChunk(row, 100 + row, "a.py", "python", "function", "f", "def f(): ...", "")


def test_a_chunk_has_a_row_for_each_file_version_that_is_held() -> None:
    versions = [version(1, [(0, 1, 2), (1, 4, 5)], 1, 2), version(2, [(1, 8, 9)], 2)]
    rows, at = Places("shop", versions, REFS).of([chunk(0), chunk(1)])
    assert at.tolist() == [0, 1, 1]
    told = [(row.row, row.start_line, row.end_line, row.ref, row.commit, row.refs) for row in rows]
    assert told == [
        (0, 1, 2, "worktree", "aaa", ["worktree", "v1"]),
        (1, 4, 5, "worktree", "aaa", ["worktree", "v1"]),
        (1, 8, 9, "v1", "bbb", ["v1"]),
    ]
    assert {row.content_hash for row in rows} == {"01", "02"}


def test_what_no_snapshot_holds_has_no_row() -> None:
    rows, at = Places("shop", [version(1, [(0, 1, 2)])], REFS).of([chunk(0)])
    assert rows == []
    assert at.tolist() == []


def test_batches_take_only_their_own_places() -> None:
    places = Places("shop", [version(1, [(5, 7, 9), (2, 1, 3)], 1)], REFS)
    assert [row.row for row in places.of([chunk(2), chunk(3)])[0]] == [2]
    assert [row.start_line for row in places.of([chunk(5)])[0]] == [7]
