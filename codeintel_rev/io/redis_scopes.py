"""Sessions' scopes in Redis: versioned values, and word to the other workers when one changes."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from codeintel_rev.config.extras import install_command
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.redis_errors import unavailable
from codeintel_rev.ports import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

PREFIX = "codeintel:scope:"
CHANNEL = "codeintel:scope-changes"

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 1.0

_LISTEN_S = 1.0
"""How long to wait for a change before the connection is looked after."""

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0
"""After a failure Redis is left alone for a while, twice as long each time up to this."""

# A version is the time in microseconds, and at least one more than the version before: it grows
# even over a restart that lost everything. `older_than` lets a late writer step back.
_WRITE = """
local found = redis.call('GET', KEYS[1])
local before = found and tonumber(string.match(found, '^%d+')) or 0
local older_than = tonumber(ARGV[3])
if older_than > 0 and before >= older_than then return found end
local time = redis.call('TIME')
local version = math.max(before + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))
local value = string.format('%.0f %d ', version, ARGV[2]) .. ARGV[1]
redis.call('SET', KEYS[1], value, 'EX', ARGV[2])
redis.call('PUBLISH', KEYS[2], ARGV[4] .. string.format(' %.0f ', version) .. ARGV[5])
return value
"""

# A session that is in use does not expire: reading renews the time that it was written with.
_READ = """
local found = redis.call('GET', KEYS[1])
if found then redis.call('EXPIRE', KEYS[1], string.match(found, '^%d+ (%d+)')) end
return found
"""


class StoredScope(NamedTuple):
    """What Redis holds for a session."""

    version: int = 0
    payload: bytes = b""
    """Empty = the session has no scope."""


class Change(NamedTuple):
    """Somebody wrote a session's scope."""

    sender: str
    version: int
    session: str


class RedisScopes:
    """Reads and writes scopes; every method raises ``Unavailable`` while Redis does not answer."""

    def __init__(self, redis: Redis, sender: str, clock: Clock = time.monotonic) -> None:
        """``sender`` names this worker in the changes that it publishes."""
        self._redis = redis
        self._sender = sender
        self._clock = clock
        self._write = redis.register_script(_WRITE)
        self._read = redis.register_script(_READ)
        self._pause_s = _FIRST_PAUSE_S
        self._retry_at = 0.0
        self._failures = 0
        self.available = True

    async def read(self, session: str) -> StoredScope:
        """Return what is stored for a session, and put off its expiry."""
        return _parsed(await self._answer(partial(self._read, keys=[PREFIX + session])))

    async def write(
        self, session: str, payload: bytes, ttl_s: int, *, older_than: int = 0
    ) -> StoredScope:
        """Store a scope and tell the other workers; returns what is stored now.

        With ``older_than`` only in place of an older version, else what is there stays.
        """
        arguments: list[bytes | str | int] = [payload, ttl_s, older_than, self._sender, session]
        keys = [PREFIX + session, CHANNEL]
        return _parsed(await self._answer(partial(self._write, keys=keys, args=arguments)))

    async def ping(self) -> None:
        """Raise ``Unavailable`` unless Redis answers now, whatever it did before."""
        self._retry_at = 0.0
        await self._answer(self._redis.ping)

    async def changes(self) -> AsyncGenerator[Change | None, None]:
        """Yield every change, and ``None`` whenever it begins to listen, as others may not have been heard.

        Raises ``Unavailable`` at its end, which is also when anything else could not be asked: to
        listen again tells that Redis is back.
        """
        failures = self._failures
        async with self._redis.pubsub() as pubsub:
            await self._answer(partial(pubsub.subscribe, CHANNEL))
            while self._failures == failures:
                try:
                    message = await pubsub.get_message(timeout=_LISTEN_S)
                except Exception as error:
                    raise self._failed(error) from error
                if message is None:
                    continue
                if message["type"] == "subscribe":  # the driver connects anew by itself
                    yield None
                elif (change := _change(message["data"])) is not None:
                    yield change
        raise unavailable("it did not a moment ago")

    async def _answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        if self._clock() < self._retry_at:
            raise unavailable("it did not a moment ago")
        try:
            answer = await ask()
        except Exception as error:
            raise self._failed(error) from error
        self.available = True
        self._pause_s = _FIRST_PAUSE_S
        return answer

    def _failed(self, error: Exception) -> Unavailable:
        from redis.exceptions import RedisError

        if not isinstance(error, RedisError | OSError):
            raise error
        self.available = False
        self._failures += 1
        self._retry_at = self._clock() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        return unavailable(type(error).__name__)


def connect(url: str) -> Redis:
    """Return a client of the Redis at ``url``, not connected yet; raises ``Unavailable``."""
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise Unavailable(
            "the Redis driver is not installed",
            hint=install_command("server"),
            value="redis",
        ) from error
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),  # a connection that went away while idle is made anew
        health_check_interval=15,
        decode_responses=False,
    )


def _parsed(value: bytes | None) -> StoredScope:
    if value is None:
        return StoredScope()
    version, _, payload = value.split(b" ", 2)
    return StoredScope(int(version), payload)


def _change(message: bytes) -> Change | None:
    sender, _, rest = message.decode("utf-8", "replace").partition(" ")
    version, _, session = rest.partition(" ")
    return Change(sender, int(version), session) if version.isdecimal() else None
