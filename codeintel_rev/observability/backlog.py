"""What was observed and is not told yet, so that nobody who is waited for has to tell it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

MOST: Final = 64
"""So many wait at most; telling them takes less than a millisecond."""

log = logging.getLogger(__name__)


class Backlog:
    """Tells together what was observed one by one; safe to share between threads.

    Right after a search the processor's caches hold the search, and telling what it took costs
    several times of what it does in a row of others.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def put(self, tell: Callable[..., object], *facts: Any) -> None:
        """Let ``tell(*facts)`` be called later, by whoever settles; never raises."""
        self._waiting.append((tell, facts))
        if len(self._waiting) >= MOST:
            self.settle()

    def settle(self) -> None:
        """Tell all that waits, in its order; what cannot be told is logged."""
        with suppress(IndexError):
            while True:
                tell, facts = self._waiting.popleft()
                self._tell(tell, facts)

    @staticmethod
    def _tell(tell: Callable[..., object], facts: tuple[Any, ...]) -> None:
        try:
            tell(*facts)
        except Exception:
            log.exception("what was observed could not be told")
