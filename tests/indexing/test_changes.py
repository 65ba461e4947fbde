from __future__ import annotations

from codeintel_rev.indexing.changes import RACY_NS, find_changes, is_current
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.io.journal import FileRecord
from codeintel_rev.types import FileEntry

DAY = 86_400_000_000_000


def entry(path: str, *, size: int = 10, mtime: int = DAY, inode: int = 5) -> FileEntry:
    return FileEntry(path, size, mtime, inode)


def record(path: str, *, scanned: int = 2 * DAY) -> FileRecord:
    return FileRecord(path, 1, 10, DAY, 5, scanned, chunker=CHUNKER_VERSION)


def test_a_file_is_read_again_when_size_time_or_inode_moved() -> None:
    known = {"a": record("a")}
    assert find_changes([entry("a")], known, {}).candidates == []
    for changed in (entry("a", size=11), entry("a", mtime=DAY + 1), entry("a", inode=6)):
        assert find_changes([changed], known, {}).candidates == [changed]


def test_a_file_read_right_after_its_edit_is_not_trusted() -> None:
    assert not is_current(entry("a"), record("a", scanned=DAY + RACY_NS))
    assert is_current(entry("a"), record("a", scanned=DAY + RACY_NS + 1))


def test_a_file_from_the_future_is_not_read_for_ever() -> None:
    assert is_current(entry("a"), record("a", scanned=DAY - RACY_NS - 1))
    assert not is_current(entry("a"), record("a", scanned=DAY - RACY_NS))
    back = entry("a", mtime=DAY // 2)
    assert not is_current(back, record("a", scanned=DAY // 2))


def test_what_another_chunker_cut_is_cut_again() -> None:
    older = record("a")._replace(chunker=CHUNKER_VERSION - 1)
    assert find_changes([entry("a")], {"a": older}, {}).candidates == [entry("a")]


def test_new_files_are_read_and_missing_ones_removed() -> None:
    changes = find_changes([entry("new")], {"old": record("old")}, {})
    assert [e.path for e in changes.candidates] == ["new"]
    assert changes.removed == ["old"]


def test_a_skipped_file_is_read_again_only_when_it_changed() -> None:
    skipped = {"logo.bin": ("binary", 10, DAY, 5)}
    assert find_changes([entry("logo.bin")], {}, skipped).candidates == []
    assert find_changes([entry("logo.bin", size=12)], {}, skipped).candidates != []
