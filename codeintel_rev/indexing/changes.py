"""What changed between a snapshot's record and the files as they stand (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.io.journal import FileRecord
from codeintel_rev.types import FileEntry

RACY_NS = 2_000_000_000
"""A file edited within this time of its reading may change again without its mtime moving: the
coarsest file systems keep mtimes to two seconds."""


class Changes(NamedTuple):
    """Files to read again, and files that are gone."""

    candidates: list[FileEntry]
    removed: list[str]
    unchanged: int


def find_changes(
    entries: Iterable[FileEntry],
    recorded: Mapping[str, FileRecord],
    skipped: Mapping[str, tuple[str, int, int, int]],
) -> Changes:
    """Compare entries with what was recorded.

    ``skipped`` holds files that were read and found not worth keeping: path to (reason, size,
    mtime_ns, inode).
    """
    candidates, unchanged, present = [], 0, set()
    for entry in entries:
        present.add(entry.path)
        known = recorded.get(entry.path)
        if known is not None and is_current(entry, known):
            unchanged += 1
        elif known is None and skipped.get(entry.path, ())[1:] == _stat(entry):
            continue
        else:
            candidates.append(entry)
    return Changes(candidates, [path for path in recorded if path not in present], unchanged)


def is_current(entry: FileEntry, known: FileRecord) -> bool:
    """Return whether a file surely holds the bytes that were recorded, cut as they would be now."""
    if known.chunker != CHUNKER_VERSION:
        return False
    if entry.oid:
        return entry.oid == known.oid
    same = (known.size, known.mtime_ns, known.inode) == _stat(entry)
    # a time in the future is that of a clock that was set back: an edit now gets another one
    return same and abs(known.scanned_ns - known.mtime_ns) > RACY_NS


def _stat(entry: FileEntry) -> tuple[int, int, int]:
    return entry.size, entry.mtime_ns, entry.inode
