"""Token buckets in Redis, so that what a caller may ask counts over all workers."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from codeintel_rev.errors import Unavailable
from codeintel_rev.io.redis_errors import failures_told, unavailable
from codeintel_rev.ports import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

PREFIX: Final = "codeintel:rate:"

_PAUSE_S: Final = 1.0
"""After a failure Redis is left alone for so long: no request waits for it meanwhile."""

# One number is kept a caller: when the bucket would be full again. A request moves it on by its
# share of time, and is refused when that lies further ahead than a full bucket.
_TAKE = """
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
local share, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + share
local wait = full_at - now - burst * share
if wait > 0.000001 then
    return tostring(wait)
end
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'EX', math.ceil(full_at - now) + 1)
return '0'
"""


class RedisRates:
    """The buckets of all callers: ``rate`` requests a second, and as many as ``burst`` at once."""

    def __init__(
        self, redis: Redis, rate: float, burst: float, clock: Clock = time.monotonic
    ) -> None:
        self._take = redis.register_script(_TAKE)
        self._share_s = 1 / rate
        self._burst = max(burst, 1.0)
        self._clock = clock
        self._retry_at = 0.0

    async def wait_s(self, caller: str) -> int:
        """Count a request; returns 0, or, where it is one too many, when to ask again in seconds.

        Raises ``Unavailable`` where Redis does not answer, or did not a moment ago.
        """
        if self._clock() < self._retry_at:
            raise unavailable("it did not a moment ago")
        try:
            with failures_told():
                wait = await self._take(keys=[PREFIX + caller], args=[self._share_s, self._burst])
        except Unavailable:
            self._retry_at = self._clock() + _PAUSE_S
            raise
        return math.ceil(float(wait))
