"""Lines too long for one chunk: minified code, data, paragraphs on one line."""

from __future__ import annotations

import math


def split_line(data: bytes, limit: int) -> list[bytes]:
    """Split valid UTF-8 into even parts of at most ``limit`` bytes, after a blank where there is one.

    ``limit`` is raised to 4, the length of the longest character.
    """
    share = max(4, math.ceil(len(data) / math.ceil(len(data) / limit)))
    parts = []
    start = 0
    while len(data) - start > share:
        end = start + share
        while data[end] & 0xC0 == 0x80:  # a continuation byte does not start a character
            end -= 1
        blank = data.rfind(b" ", start + share // 2, end)
        end = blank + 1 if blank >= 0 else end
        parts.append(data[start:end])
        start = end
    parts.append(data[start:])
    return parts
