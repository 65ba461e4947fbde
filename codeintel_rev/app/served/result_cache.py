"""Results of searches that are asked again and again."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec

from codeintel_rev.app.lru_cache import LRUCache
from codeintel_rev.app.repository import OpenRepository
from codeintel_rev.types import Mode, Scope

Document = dict[str, Any]

_LEVEL: Final = 1
"""Of compression: a third of the size for a tenth of a millisecond."""


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
    """The last results, compressed; safe to share between threads.

    They do not age: a search of the same commits finds the same.
    """

    def __init__(self, size: int) -> None:
        """Keep ``size`` results; 0 = none."""
        self._size = size
        self._lock = Lock()
        self._results: LRUCache[bytes] = LRUCache(size, math.inf)
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
            document: Document = msgspec.json.decode(zlib.decompress(kept))
            return document | {"cached": True}
        self._count("misses")
        found = find()
        if not found["limits"]:
            self._keep(key, found)
        return found

    def _keep(self, key: str, found: Document) -> None:
        try:
            encoded = msgspec.json.encode(found)
        except UnicodeEncodeError:  # half a surrogate pair, as in odd file names
            return
        self._results.set(key, zlib.compress(encoded, _LEVEL))

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def states_of(opened: Iterable[OpenRepository]) -> list[tuple[str, int]]:
    """Return what changes with every commit to one of the repositories."""
    return [(each.repository.key, each.sequence()) for each in opened]
