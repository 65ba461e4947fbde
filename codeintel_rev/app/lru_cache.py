"""A bounded map in memory whose entries age."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import RLock
from typing import Generic, NamedTuple, TypeVar

from codeintel_rev.ports import Clock

T = TypeVar("T")


class _Aging(NamedTuple, Generic[T]):
    value: T
    expires: float


class LRUCache(Generic[T]):
    """Keeps the ``maxsize`` entries that were used last; safe to share between threads.

    An entry is fresh for ``ttl_seconds``. Age is looked at when an entry is asked for, no timer
    runs; one that is too old stays until it is evicted, for callers who take it nevertheless.
    """

    def __init__(self, maxsize: int, ttl_seconds: float, clock: Clock = time.monotonic) -> None:
        self._maxsize = maxsize
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._lock = RLock()
        self._entries: OrderedDict[str, _Aging[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, *, expired: bool = False) -> T | None:
        """Return the entry of ``key``; ``None`` without one or, unless ``expired``, a fresh one."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or not (expired or self._clock() < entry.expires):
                return None
            self._entries.move_to_end(key)
            return entry.value

    def items(self) -> list[tuple[str, T]]:
        """Return the keys and fresh entries, what was used longest ago first."""
        now = self._clock()
        with self._lock:
            return [(key, kept.value) for key, kept in self._entries.items() if now < kept.expires]

    def set(self, key: str, value: T, ttl_seconds: float | None = None) -> None:
        """Keep ``value``; the entry that was not used for longest goes when there is no room."""
        ttl = self._ttl_seconds if ttl_seconds is None else ttl_seconds
        with self._lock:
            self._entries[key] = _Aging(value, self._clock() + ttl)
            self._entries.move_to_end(key)
            while len(self._entries) > self._maxsize:
                self._entries.popitem(last=False)

    def delete(self, key: str) -> None:
        """Forget an entry, if there is one."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
