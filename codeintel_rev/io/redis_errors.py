"""What a Redis that does not answer is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from codeintel_rev.errors import Unavailable


def unavailable(why: str) -> Unavailable:
    """Return the error for a Redis that cannot be used."""
    return Unavailable(
        f"Redis does not answer ({why})", hint="check REDIS_URL and the Redis server", value="redis"
    )


@contextmanager
def failures_told() -> Iterator[None]:
    """Raise ``Unavailable`` for whatever the driver raises."""
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise unavailable(type(error).__name__) from error
