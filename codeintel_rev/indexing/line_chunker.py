"""Where to cut text that has no grammar: by indentation and blank lines."""

from __future__ import annotations

from typing import Final

from codeintel_rev.indexing.lines import Lines
from codeintel_rev.indexing.pieces import Definition, Unit

_CLOSERS: Final = (b"}", b")", b"]", b"end", b"else", b"</", b"fi", b"done", b"esac")
"""What a line starts with when it ends something above it."""
_CLOSER_COST: Final = 8
_MAX_COST: Final = 16


def line_units(lines: Lines) -> list[Unit]:
    """Return a unit a line; the less a line is indented, the rather a cut falls before it."""
    owner = Definition("", "lines")
    units = [Unit(0, owner, owner)]
    for row, line in enumerate(lines.data.split(b"\n")):
        bare = line.lstrip()
        if row and bare:
            units.append(Unit(row, owner, owner, _cost(line, bare)))
    return units


def _cost(line: bytes, bare: bytes) -> int:
    """Return how much a cut before ``line`` tears apart; ``bare`` is the line unindented."""
    indent = len(line[: len(line) - len(bare)].expandtabs(4)) // 2
    return min(indent, _MAX_COST) + (_CLOSER_COST if bare.startswith(_CLOSERS) else 0)


def split_line(data: bytes, limit: int) -> list[bytes]:
    """Split valid UTF-8 into parts of at most ``limit`` bytes, after white space where possible.

    ``limit`` is at least 4, the length of the longest character.
    """
    parts = []
    start = 0
    while len(data) - start > limit:
        end = start + limit
        while data[end] & 0xC0 == 0x80:  # a continuation byte does not start a character
            end -= 1
        space = data.rfind(b" ", start + limit // 2, end)
        end = space + 1 if space >= 0 else end
        parts.append(data[start:end])
        start = end
    parts.append(data[start:])
    return parts
