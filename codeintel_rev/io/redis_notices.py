"""Word from one worker to all the others, through Redis; nothing is kept of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final

from codeintel_rev.io.redis_errors import failures_told

if TYPE_CHECKING:
    from redis.asyncio import Redis

_LISTEN_S: Final = 5.0
"""How long to wait for word before the connection is looked after."""


class RedisNotices:
    """One channel of a Redis server."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self._redis = redis
        self._channel = channel

    async def tell(self, notice: bytes) -> None:
        """Tell all who listen; raises ``Unavailable``."""
        with failures_told():
            await self._redis.publish(self._channel, notice)

    async def heard(self) -> AsyncGenerator[bytes, None]:
        """Yield what is told from now on, one's own word too; raises ``Unavailable`` at its end."""
        with failures_told():
            async with self._redis.pubsub() as pubsub:
                await pubsub.subscribe(self._channel)
                while True:
                    message = await pubsub.get_message(
                        ignore_subscribe_messages=True, timeout=_LISTEN_S
                    )
                    if message is not None:
                        yield message["data"]
