"""How large a regular expression is once its repetitions are written out (pure).

RE2 takes linear time, but linear in the text times this size; and DuckDB, which runs it, can be
interrupted only between some thousands of texts.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SIZE: Final = 1_000
"""The largest that is run: some microseconds for each byte of text at worst."""

QUICK_SIZE: Final = 100
"""Up to this size some thousands of texts, between which there is no interrupting, take a second."""

_PART: Final = re.compile(
    r"""
      (?P<quoted>\\Q.*?(?:\\E|\Z))
    | (?P<open>\((?:\?(?:P?<\w*>|[A-Za-z-]*:?))?)
    | (?P<close>\))
    | \{(?P<least>\d{1,4})(?:,(?P<most>\d{0,4}))?\}
    | \[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]      # one character of a class
    | \\(?:[pPx]\{[^}]*\}|.)                       # an escape
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def regex_size(pattern: str) -> int:
    """Return the number of characters that ``pattern`` stands for, each repetition at its longest.

    The pattern has to be one that RE2 reads; others may take quadratic time.
    """
    outer: list[int] = []  # the sizes of the groups around this place, before them
    size = last = 0
    for part in _PART.finditer(pattern):
        kind = part.lastgroup
        if kind == "open":
            outer.append(size)
            size = last = 0
        elif kind == "close" and outer:
            last = size
            size += outer.pop()
        elif kind in ("least", "most"):
            times = int(part["most"] or part["least"])
            size, last = size + last * (times - 1), last * times
        else:
            last = len(part[0]) if kind == "quoted" else 1
            size += last
    return size + sum(outer)
