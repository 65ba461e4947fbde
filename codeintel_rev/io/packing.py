"""Packed columns of the journal: row bitmaps, line spans and chunk text.

What is unpacked raises ``IndexDamaged`` where it is not as it was packed.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged

_LEVEL = 1
"""Fastest zlib level: bitmaps are nearly constant and chunk text is read ten at a time."""

_LENGTH_BYTES = 4
"""Before a chunk's text stands its length."""


_SPAN = struct.Struct("<5i")


class Span(NamedTuple):
    """Where one chunk stands in one file version."""

    row: int
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int


def pack_bitmap(live: NDArray[np.bool_]) -> bytes:
    """Compress a row bitmap."""
    return len(live).to_bytes(8, "little") + zlib.compress(np.packbits(live).tobytes(), _LEVEL)


def unpack_bitmap(blob: bytes) -> NDArray[np.bool_]:
    """Return the bitmap that ``pack_bitmap`` compressed, writable, one element a row."""
    if not isinstance(blob, bytes):
        raise _damaged("a bitmap that is none")
    packed = np.frombuffer(_inflated(blob[8:]), dtype=np.uint8)
    length = bitmap_length(blob)
    if len(packed) != (length + 7) // 8:
        raise _damaged(f"a bitmap of {len(packed)} bytes for {length} rows")
    return np.unpackbits(packed, count=length).view(np.bool_)


def bitmap_length(blob: bytes) -> int:
    """Return how many rows a packed bitmap has; its first 8 bytes are enough."""
    return int.from_bytes(blob[:8], "little")


def pack_spans(spans: list[Span]) -> bytes:
    """Store spans as little-endian int32 rows."""
    return np.array(spans, dtype="<i4").reshape(-1, 5).tobytes()


def unpack_spans(blob: bytes) -> NDArray[np.int32]:
    """Return spans as an ``(n, 5)`` array in the order of ``Span``'s fields."""
    return np.frombuffer(_spans(blob), dtype="<i4").reshape(-1, 5)


def span_of(blob: bytes, row: int) -> Span | None:
    """Return the span of one row out of packed spans; ``None`` when they do not hold it."""
    wanted = row.to_bytes(4, "little")
    at = _spans(blob).find(wanted)
    while at >= 0 and at % _SPAN.size:  # the same bytes in another field
        at = blob.find(wanted, at + 1)
    return Span._make(_SPAN.unpack_from(blob, at)) if at >= 0 else None


def pack_text(text: str, doc: str = "") -> bytes:
    """Compress a chunk's text and its documentation, which mostly repeats a part of the text."""
    body = text.encode("utf-8", "surrogatepass")
    tail = doc.encode("utf-8", "surrogatepass")
    return zlib.compress(len(body).to_bytes(_LENGTH_BYTES, "little") + body + tail, _LEVEL)


def unpack_text(blob: bytes) -> str:
    """Return the text that ``pack_text`` compressed."""
    return unpack_text_and_doc(blob)[0]


def unpack_utf8(blob: bytes) -> bytes:
    """Return the text that ``pack_text`` compressed, not decoded."""
    data = _inflated(blob)
    return data[_LENGTH_BYTES : _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")]


def unpack_text_and_doc(blob: bytes) -> tuple[str, str]:
    """Return the text and the documentation that ``pack_text`` compressed."""
    data = _inflated(blob)
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    text = data[_LENGTH_BYTES:end].decode("utf-8", "surrogatepass")
    return text, data[end:].decode("utf-8", "surrogatepass")


def _spans(blob: bytes) -> bytes:
    """Return packed spans that are whole; SQLite may give anything for what a bit was flipped in."""
    if not isinstance(blob, bytes) or len(blob) % _SPAN.size:
        raise _damaged("lines of no chunk")
    return blob


def _inflated(blob: bytes) -> bytes:
    try:
        return zlib.decompress(blob)
    except (TypeError, zlib.error) as error:
        raise _damaged(f"what cannot be unpacked: {error}") from error


def _damaged(what: str) -> IndexDamaged:
    return IndexDamaged(f"the journal holds {what}", hint="run `codeintel doctor --repair`")
