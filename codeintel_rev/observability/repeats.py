"""Keeping a fault that happens again and again from filling a log."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from codeintel_rev.ports import Clock

MOST: Final = 5
"""Records alike that are shown within a window."""

WINDOW_S: Final = 60.0

_KINDS: Final = 512
"""Kinds of records that are told apart; texts are written in the program, so there are fewer."""


@dataclass(slots=True)
class _Seen:
    since: float
    shown: int = 0
    left_out: int = 0


class Repeats(logging.Filter):
    """Lets through the first few of what is said at one place, and says how many it kept back."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, int, object], _Seen] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown; the first of a window tells what the last one left out."""
        now = self._clock()
        kind = (record.pathname, record.lineno, record.msg)
        seen = self._seen.get(kind)
        if seen is None or now - seen.since >= WINDOW_S:
            if seen is not None and seen.left_out:
                record.msg = f"{record.msg} ({seen.left_out} more like it were left out)"
            if len(self._seen) >= _KINDS:
                self._seen.clear()
            seen = self._seen[kind] = _Seen(now)
        if seen.shown >= MOST:
            seen.left_out += 1
            return False
        seen.shown += 1
        return True
