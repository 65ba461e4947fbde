"""Where to cut text that has no grammar: by indentation and blank lines."""

from __future__ import annotations

import re
from typing import Final

from codeintel_rev.indexing.lines import Lines
from codeintel_rev.indexing.pieces import Definition, Unit

_CONTINUATION: Final = re.compile(
    rb"[{}()\[\]]|</|(?:end|else|elif|elsif|rescue|ensure|catch|finally|then|do|done|fi|esac|begin"
    rb"|where)\b|#(?:if|else|elif|endif|region|endregion|pragma)\b"
)
CONTINUATION_COST: Final = 8
"""The least cost of a cut before a line that goes on with what stands above it."""
_MAX_COST: Final = 16


def line_units(lines: Lines, owner: Definition) -> list[Unit]:
    """Return a unit a line; the less a line is indented, the rather a cut falls before it."""
    units = [Unit(0, owner, owner)]
    for row, line in enumerate(lines.data.split(b"\n")):
        bare = line.lstrip()
        if row and bare:
            units.append(Unit(row, owner, owner, _cost(line, bare)))
    return units


def is_continuation(bare: bytes) -> bool:
    """Return whether an unindented line goes on with what stands above it."""
    return _CONTINUATION.match(bare) is not None


def indent_of(line: bytes, bare: bytes) -> int:
    """Return the columns before a line's first visible character; a tab reaches the next fourth."""
    return len(line[: len(line) - len(bare)].expandtabs(4))


def _cost(line: bytes, bare: bytes) -> int:
    """Return how much a cut before ``line`` tears apart."""
    cost = min(indent_of(line, bare) // 2, _MAX_COST)
    return cost + CONTINUATION_COST if is_continuation(bare) else cost
