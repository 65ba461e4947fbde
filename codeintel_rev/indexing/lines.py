"""The lines of a source: where each starts and how much it weighs.

Only a line feed ends a line, as in git and in editors' line numbers; a lone carriage return is
white space inside its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

BLANKS: Final = b" \t\r\f\v"
"""White space inside a line; what ``bytes.strip`` strips, less the line feed."""


LINE_FLOOR: Final = 16
"""A line with anything on it weighs at least this, so columns of short lines are cut as well."""


class Lines(NamedTuple):
    """A source by rows; a row is a line's 0-based number."""

    data: bytes
    starts: Sequence[int]
    """Byte offset of each row, and of the end: ``row_count + 1`` numbers."""
    weights: Sequence[int]
    """Weight before each row, and before the end: ``row_count + 1`` numbers."""

    @property
    def row_count(self) -> int:
        """Return the number of rows, the empty one after a final line feed included."""
        return len(self.starts) - 1

    def weight(self, start: int, end: int) -> int:
        """Return what rows ``[start, end)`` weigh: their non-white bytes, a floor for each line."""
        return self.weights[end] - self.weights[start]

    def is_blank(self, row: int) -> bool:
        """Return whether a row holds only white space."""
        return self.weights[row + 1] == self.weights[row]


def split_lines(data: bytes) -> Lines:
    """Return the lines of UTF-8 ``data``."""
    lengths = [len(line) + 1 for line in data.split(b"\n")]
    lengths[-1] -= 1
    visible = map(len, data.translate(None, BLANKS).split(b"\n"))
    weights = (max(count, LINE_FLOOR) if count else 0 for count in visible)
    return Lines(data, list(accumulate(lengths, initial=0)), list(accumulate(weights, initial=0)))
