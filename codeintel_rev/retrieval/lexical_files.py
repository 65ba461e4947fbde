"""Looking at a lexical index as files and as a whole, for who checks it."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import numpy as np
import tantivy
from numpy.typing import NDArray

from codeintel_rev.retrieval.lexical_schema import ROW, damaged, open_index

_MAGIC = 1337
"""The last four bytes of a tantivy file; before them the length of a JSON footer with its CRC."""
_TRAILER = 8
_BLOCK = 1 << 20


class _SegmentMeta(msgspec.Struct):
    segment_id: str
    max_doc: int


class _Meta(msgspec.Struct):
    """The part of tantivy's own list of segments that is of use here."""

    segments: list[_SegmentMeta]


def all_rows(folder: Path) -> NDArray[np.int64]:
    """Return the row of every document, ascending."""
    searcher = open_index(folder).searcher()
    if searcher.num_docs == 0:
        return np.zeros(0, dtype=np.int64)
    hits = searcher.search(tantivy.Query.all_query(), searcher.num_docs, count=False).hits
    values = searcher.fast_field_values(ROW, [address for _, address in hits])
    return np.sort(np.array(values, dtype=np.int64))


def segment_sizes(folder: Path) -> list[int]:
    """Return the documents of each segment, deleted ones counted; raises ``IndexDamaged``."""
    try:
        return [segment.max_doc for segment in _meta(folder).segments]
    except (OSError, msgspec.MsgspecError) as error:
        raise damaged(folder, f"meta.json: {error}") from error


def damaged_files(folder: Path) -> list[str]:
    """Return the names of files that are missing or do not hold what was written."""
    try:
        segments = [segment.segment_id.replace("-", "") for segment in _meta(folder).segments]
    except (OSError, msgspec.MsgspecError):
        return ["meta.json"]
    damaged = []
    for segment in segments:
        parts = sorted(folder.glob(f"{segment}.*"))
        damaged += [path.name for path in parts if not _is_whole(path)]
        if not any(path.suffix == ".idx" for path in parts):
            damaged.append(f"{segment}.idx")
    return damaged


def _meta(folder: Path) -> _Meta:
    return msgspec.json.decode((folder / "meta.json").read_bytes(), type=_Meta)


def _is_whole(path: Path) -> bool:
    """Return whether a file ends in a footer whose CRC is that of the bytes before it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size < _TRAILER:
            return False
        file.seek(size - _TRAILER)
        trailer = file.read(_TRAILER)
        length = int.from_bytes(trailer[:4], "little")
        body = size - _TRAILER - length
        if int.from_bytes(trailer[4:], "little") != _MAGIC or body < 0:
            return False
        file.seek(body)
        try:
            wanted = msgspec.json.decode(file.read(length))["crc"]
        except (ValueError, KeyError, TypeError):
            return False
        file.seek(0)
        crc = 0
        while body > 0 and (data := file.read(min(_BLOCK, body))):
            crc = zlib.crc32(data, crc)
            body -= len(data)
        return bool(crc == wanted)
