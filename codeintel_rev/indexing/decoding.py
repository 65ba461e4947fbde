"""From a file's bytes to UTF-8, with a way back to the original byte offsets."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FALLBACKS: Final = ("cp1252", "latin-1")
"""Tried in order on bytes that are not what they announce; the last one reads anything."""


class Source(NamedTuple):
    """A text file's content."""

    utf8: bytes
    """The text without byte order mark, as valid UTF-8."""
    encoding: str
    """The Python codec of the file's own bytes."""
    bom: int
    """Length of the byte order mark, in bytes."""


class OriginalOffsets:
    """Translates offsets in ``Source.utf8`` to offsets in the file, asked in ascending order."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._utf8 = 0
        self._original = source.bom

    def at(self, offset: int) -> int:
        """Return the file's offset of the character at ``offset``."""
        source = self._source
        if source.encoding == "utf-8":
            return source.bom + offset
        skipped = source.utf8[self._utf8 : offset].decode()
        self._original += len(skipped.encode(source.encoding))
        self._utf8 = offset
        return self._original


def decode_source(data: bytes) -> Source:
    """Decode a text file: UTF-8, UTF-16 with a byte order mark, else Windows-1252 or Latin-1.

    Every byte string is readable as Latin-1, so this never fails; whether the bytes are text at
    all is for the walker to say.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode(data, encoding, len(mark)) or _decode_fallback(data)
    return _decode(data, "utf-8", 0) or _decode_fallback(data)


def _decode(data: bytes, encoding: str, bom: int) -> Source | None:
    """Return the source, or ``None`` when the bytes are not valid in ``encoding``."""
    body = data[bom:]
    if encoding == "utf-8" and body.isascii():
        return Source(body, encoding, bom)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        return None
    return Source(body if encoding == "utf-8" else text.encode(), encoding, bom)


def _decode_fallback(data: bytes) -> Source:
    """Return the source in the first single-byte encoding that reads it."""
    first, last = _FALLBACKS
    return _decode(data, first, 0) or Source(data.decode(last).encode(), last, 0)
