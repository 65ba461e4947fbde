"""How telling a term is across public code at large: the background of the word statistics.

The shipped table was counted by training/background_table.py over chunks of 30 lines. Its
layout, little-endian: a 16-byte header (``_HEADER``), one byte a term, and the terms in order of
code points, as UTF-8 joined by line feeds.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.errors import IndexDamaged

BACKGROUND_IDF_VERSION = 1
"""Bump when the table or its layout changes: stored rankings depend on it."""

TABLE_PATH = Path(__file__).parent.parent / "data" / "background_idf.bin"

_HEADER = struct.Struct("<8sIf")
"""Magic, number of terms, idf of one step of a byte."""
_MAGIC = b"CIBGIDF1"


class BackgroundTable(NamedTuple):
    """Terms in order of code points and their quantised idf."""

    terms: list[str]
    levels: bytes
    step: float

    def idf(self, term: str) -> float:
        """Return the idf of ``term``; a term that is not listed is as rare as the rarest."""
        at = bisect_left(self.terms, term)
        if at < len(self.terms) and self.terms[at] == term:
            return self.levels[at] * self.step
        return 255 * self.step


def background_idf(term: str) -> float:
    """Return ``log((N - df + 0.5) / (df + 0.5) + 1)`` over the shipped table's N chunks.

    A term that is not in the table has the largest value in it. Raises ``IndexDamaged`` when the
    table cannot be read.
    """
    return _shipped_table().idf(term)


@cache
def _shipped_table() -> BackgroundTable:
    try:
        return parse_table(TABLE_PATH.read_bytes())
    except (OSError, ValueError) as error:
        raise IndexDamaged(
            f"The word statistics {TABLE_PATH} cannot be read: {error}",
            hint="Reinstall codeintel-rev.",
            value=str(TABLE_PATH),
        ) from error


def parse_table(data: bytes) -> BackgroundTable:
    """Read a packed table; raises ``ValueError`` when it is none."""
    if len(data) < _HEADER.size or data[:8] != _MAGIC:
        raise ValueError("not a table of word statistics")
    _, count, step = _HEADER.unpack_from(data)
    terms = data[_HEADER.size + count :].decode("utf-8").split("\n")
    if len(terms) != count:
        raise ValueError(f"{len(terms)} terms instead of {count}")
    return BackgroundTable(terms, data[_HEADER.size : _HEADER.size + count], step)


def pack_table(document_frequency: Mapping[str, int], chunks: int) -> bytes:
    """Quantise the idf of each term, of which there is at least one, and pack the table."""
    terms = sorted(document_frequency)
    values = [
        math.log((chunks - document_frequency[term] + 0.5) / (document_frequency[term] + 0.5) + 1)
        for term in terms
    ]
    step = max(values) / 255
    levels = bytes(round(value / step) for value in values)
    return _HEADER.pack(_MAGIC, len(terms), step) + levels + "\n".join(terms).encode("utf-8")
