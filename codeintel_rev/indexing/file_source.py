"""Where the bytes of files come from: a folder on disk, or a commit (``git_tree``)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple, Protocol

from codeintel_rev.types import FileEntry

_SMALL_BYTES = 1 << 20
"""A file may grow to twice this size, or to twice its own, between listing and reading."""


_HALF = 1 << 63
"""Integers of a column lie between this and its negative."""


class ReadFile(NamedTuple):
    """A file's bytes as they were at one moment."""

    data: bytes
    entry: FileEntry
    """Its facts when it was opened, which may be newer than the walk's."""
    scanned_ns: int


class FileSource(Protocol):
    """Gives files their bytes; travels to parse workers, so it can be pickled."""

    def read(self, entries: Sequence[FileEntry]) -> Iterator[ReadFile | None]:
        """Yield each file in the order asked, ``None`` for one that cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class DiskSource:
    """The files below a folder (``FileSource``)."""

    root: Path

    def read(self, entries: Sequence[FileEntry]) -> Iterator[ReadFile | None]:
        """Yield each file in the order asked, ``None`` for one that cannot be read."""
        for entry in entries:
            yield read_file(self.root, entry)


def entry_of(path: str, found: os.stat_result) -> FileEntry:
    """Return the facts of a file; numbers that no column holds are folded into those that one does.

    File systems keep times beyond the year 2262 and inodes of 64 bits.
    """
    return FileEntry(path, found.st_size, _folded(found.st_mtime_ns), _folded(found.st_ino))


def _folded(number: int) -> int:
    return (number + _HALF) % (2 * _HALF) - _HALF


def read_file(root: Path, entry: FileEntry) -> ReadFile | None:
    """Read a regular file below the folder ``root`` without following a link on the way.

    It is read up to the size that it has when it is opened: it may grow faster than it is read.
    Returns ``None`` when it vanished, became something else, grew far beyond what it was when it
    was listed, or cannot be read.
    """
    scanned_ns = time.time_ns()
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(root / entry.path, flags)
        with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
            stat = os.fstat(descriptor)
            if not S_ISREG(stat.st_mode) or stat.st_size > max(entry.size, _SMALL_BYTES) * 2:
                return None
            if not _is_below(root, entry.path, descriptor):
                return None
            now = entry_of(entry.path, stat)
            return ReadFile(file.read(stat.st_size), now, scanned_ns)
    except OSError:
        return None


def _is_below(root: Path, path: str, descriptor: int) -> bool:
    """Return whether an open file is the one at ``path`` below ``root``, no folder being a link.

    The system is asked for the place of what was opened: a folder may become a link meanwhile.
    """
    try:
        place = os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)")  # noqa: PTH115  a string is enough
    except OSError:  # a system without it
        place = os.path.realpath(root / path)
    above = place.removesuffix(f"/{path}")
    return above != place and os.path.samefile(above or "/", root)  # noqa: PTH121  half the time
