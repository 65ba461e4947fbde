"""How often one caller may ask."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import NamedTuple

from codeintel_rev.app.lru_cache import LRUCache
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.redis_rates import RedisRates
from codeintel_rev.ports import Clock

_CALLERS_KEPT = 100_000


class _Bucket(NamedTuple):
    tokens: float
    at: float


class RateLimiter:
    """A token bucket for each caller: ``rate`` requests a second, and as many as ``burst`` at once.

    Belongs to one event loop. Counts over all workers where they have a Redis; while that is away,
    and where there is none, each worker counts by itself.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Clock = time.monotonic,
        *,
        shared: RedisRates | None = None,
    ) -> None:
        self._shared = shared
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._clock = clock
        self._buckets: LRUCache[_Bucket] = LRUCache(_CALLERS_KEPT, self._burst / rate, clock)

    async def wait_s(self, caller: str) -> int:
        """Count a request; returns 0, or, where it is one too many, when to ask again in seconds."""
        if self._shared is not None:
            with suppress(Unavailable):
                return await self._shared.wait_s(caller)
        return self._own_wait_s(caller)

    def _own_wait_s(self, caller: str) -> int:
        now = self._clock()
        bucket = self._buckets.get(caller) or _Bucket(self._burst, now)
        tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        if tokens < 1:
            return max(1, math.ceil((1 - tokens) / self._rate))
        self._buckets.set(caller, _Bucket(tokens - 1, now))
        return 0
