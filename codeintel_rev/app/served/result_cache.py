"""Results of searches that are asked again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final, NamedTuple

from codeintel_rev.app.lru_cache import LRUCache
from codeintel_rev.app.repository import OpenRepository
from codeintel_rev.ports import Clock
from codeintel_rev.types import Mode, Scope

Document = dict[str, Any]

MAX_AGE_S: Final = 2.0
"""How long a result is given again at most: a file may be edited before the index follows."""


class Asked(NamedTuple):
    """A search, and all that its result depends on."""

    query: str
    limit: int
    mode: Mode
    explain: bool
    scope: Scope | None
    repos: list[str] | None
    """Names of those that the caller may see; ``None`` = all."""
    states: list[tuple[str, int]]
    """Of each repository that is open: its key, and the number of its last commit."""


class ResultCache:
    """The last results; safe to share between threads."""

    def __init__(self, size: int, clock: Clock = time.monotonic) -> None:
        """Keep ``size`` results; 0 = none."""
        self._size = size
        self._lock = Lock()
        self._results: LRUCache[Document] = LRUCache(size, MAX_AGE_S, clock)
        self._counts = {"hits": 0, "misses": 0}

    @property
    def enabled(self) -> bool:
        """Whether anything is kept."""
        return self._size > 0

    @property
    def metrics(self) -> dict[str, int]:
        """How often a result was there, and how often not."""
        return dict(self._counts)

    def result(self, asked: Asked, find: Callable[[], Document]) -> Document:
        """Return the result of a search, ``cached`` if it was there.

        One that something held back is not kept.
        """
        key = repr(asked)  # a query may hold what JSON cannot, and is checked by the search
        kept = self._results.get(key)
        if kept is not None:
            self._count("hits")
            return kept
        self._count("misses")
        found = find()
        if not found["limits"]:
            self._results.set(key, {**found, "cached": True})
        return found

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def states_of(opened: Iterable[OpenRepository]) -> list[tuple[str, int]]:
    """Return what changes with every commit to one of the repositories."""
    return [(each.repository.key, each.sequence()) for each in opened]
