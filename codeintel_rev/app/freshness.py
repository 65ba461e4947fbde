"""Whether what was indexed still stands in the file, and where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.indexing.file_source import read_file
from codeintel_rev.indexing.prepare import content_hash
from codeintel_rev.io.journal import FileRecord
from codeintel_rev.types import FileEntry


class Standing(NamedTuple):
    """Where a chunk stands at this moment."""

    start_line: int
    end_line: int
    content_hash: str
    """Hex hash of the bytes in which it stands."""
    stale: bool
    """Whether it is nowhere any more, or at several places; lines and hash are as indexed."""


def standing(root: Path, known: FileRecord, text: str, indexed: Standing) -> Standing:
    """Compare a chunk with its file as it is now.

    When the file changed but holds the chunk's text at exactly one place, that is where it stands.
    """
    try:
        found = os.lstat(f"{root}/{known.path}")  # ten a search; a Path doubles the cost
    except OSError:
        return indexed._replace(stale=True)
    if (found.st_size, found.st_mtime_ns) == (known.size, known.mtime_ns):
        return indexed
    read = read_file(root, FileEntry(known.path, found.st_size, found.st_mtime_ns))
    return indexed._replace(stale=True) if read is None else found_in(read.data, text, indexed)


def found_in(data: bytes, text: str, indexed: Standing) -> Standing:
    """Return where a chunk stands in the bytes that its file holds now."""
    digest = content_hash(data).hex()
    if digest == indexed.content_hash:
        return indexed
    start = line_of(data, text)
    if start is None:
        return indexed._replace(stale=True)
    return Standing(start, start + indexed.end_line - indexed.start_line, digest, stale=False)


def line_of(data: bytes, text: str) -> int | None:
    """Return the line at which ``text`` begins in a file; ``None`` unless at one place only."""
    from codeintel_rev.indexing.decoding import decode_source

    source = decode_source(data).utf8
    wanted = text.encode("utf-8", "surrogatepass")
    if not wanted.strip():
        return None
    at = source.find(wanted)
    if at < 0 or source.find(wanted, at + 1) >= 0:
        return None
    begins_line = at == 0 or source[at - 1 : at] == b"\n"
    return source.count(b"\n", 0, at) + 1 if begins_line else None
