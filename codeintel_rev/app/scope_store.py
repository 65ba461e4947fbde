"""What each session may see: kept in this process, and in Redis for all workers."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from codeintel_rev.app.lru_cache import LRUCache
from codeintel_rev.app.single_flight import AsyncSingleFlight
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.redis_scopes import Change, RedisScopes
from codeintel_rev.types import Scope

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["AsyncSingleFlight", "LRUCache", "ScopeStore"]

ABSENT_TTL_S = 2.0
"""How long it is believed that a session has no scope."""

TOMBSTONE_TTL_S = 600
"""How long Redis remembers that a scope was deleted, so that no slow writer brings it back."""

_LONE_MAXSIZE = 100_000
"""Sessions that are remembered where there is no Redis to remember them."""

_LISTEN_AGAIN_S = 0.5
"""Pause before listening for changes again, after Redis went away."""


class _Entry(NamedTuple):
    """What this process knows of a session."""

    version: int
    payload: bytes = b""
    """The scope as JSON; empty = it has none."""
    loaded: bool = True
    """Otherwise only the version is known, from a change that another worker told."""

    @property
    def scope(self) -> Scope | None:
        """A copy of its own for every caller."""
        return msgspec.json.decode(self.payload, type=Scope) if self.payload else None


class ScopeStore:
    """The scopes of sessions; belongs to one event loop.

    Looks into a cache of this process (L1), then into Redis (L2); concurrent lookups of one session
    are one. While ``listen`` runs, what another worker writes is seen at once, else when the entry
    in L1 has aged. While Redis is away the last known scope is served, whatever its age, and what
    is written is kept until Redis is back; what a Redis lost that comes back empty is given to it again
    by who still knows it. Without Redis the process keeps all by itself.
    """

    def __init__(
        self,
        redis: Redis | None,
        l1_maxsize: int = 256,
        l1_ttl_seconds: float = 300,
        l2_ttl_seconds: int = 3600,
    ) -> None:
        self._sender = secrets.token_hex(8)
        self._remote = RedisScopes(redis, self._sender) if redis is not None else None
        self._l2_ttl_seconds = l2_ttl_seconds
        self._l1: LRUCache[_Entry] = (
            LRUCache(l1_maxsize, l1_ttl_seconds)
            if redis is not None
            else LRUCache(_LONE_MAXSIZE, l2_ttl_seconds)
        )
        self._unsaved: dict[str, tuple[_Entry, int]] = {}
        self._caught_up = 0
        self._flights = AsyncSingleFlight()
        self._counts = dict.fromkeys(("l1_hits", "l1_misses", "l2_hits", "l2_misses"), 0)

    @property
    def metrics(self) -> dict[str, float]:
        """Hits and misses of both levels, and the share of lookups that L1 answered."""
        asked = self._counts["l1_hits"] + self._counts["l1_misses"]
        return {**self._counts, "hit_rate": self._counts["l1_hits"] / asked if asked else 0.0}

    def __len__(self) -> int:
        """Return how many sessions this process keeps something of."""
        return len(self._l1)

    @property
    def available(self) -> bool:
        """Whether Redis answered last time; always true without one."""
        return self._remote is None or self._remote.available

    async def get(self, session_id: str) -> Scope | None:
        """Return the scope of a session, ``None`` when it has none."""
        entry = self._l1.get(session_id)
        if entry is not None and entry.loaded:
            self._counts["l1_hits"] += 1
            if self._remote is None:  # what is in use does not expire
                self._l1.set(session_id, entry)
            return entry.scope
        self._counts["l1_misses"] += 1
        if self._remote is None:
            return None
        entry = await self._flights.do(session_id, partial(self._fetch, self._remote, session_id))
        return entry.scope

    async def set(self, session_id: str, scope: Scope, ttl: int | None = None) -> None:
        """Store the scope of a session for ``ttl`` seconds after its last use."""
        await self._put(session_id, msgspec.json.encode(scope), ttl or self._l2_ttl_seconds)

    async def delete(self, session_id: str) -> None:
        """Forget the scope of a session, for every worker."""
        await self._put(session_id, b"", TOMBSTONE_TTL_S)

    async def ping(self) -> None:
        """Raise ``Unavailable`` unless Redis answers, if there is one."""
        if self._remote is not None:
            await self._remote.ping()

    async def listen(self) -> None:
        """Follow what other workers write, until cancelled."""
        while self._remote is not None:
            with suppress(Unavailable):
                async with aclosing(self._remote.changes()) as changes:
                    async for change in changes:
                        if change is None:
                            await self._catch_up(self._remote)
                        else:
                            self._forget_older(change)
            await asyncio.sleep(_LISTEN_AGAIN_S)

    async def _fetch(self, remote: RedisScopes, session_id: str) -> _Entry:
        caught_up = self._caught_up
        try:
            stored = await remote.read(session_id)
        except Unavailable:
            unsaved = self._unsaved.get(session_id)
            last = unsaved[0] if unsaved else self._l1.get(session_id, expired=True)
            return last if last is not None and last.loaded else _Entry(0)
        self._counts["l2_hits" if stored.payload else "l2_misses"] += 1
        entry = _Entry(*stored)
        if caught_up != self._caught_up:  # read before it was heard what changes
            return entry
        return self._keep(session_id, entry, None if stored.payload else ABSENT_TTL_S)

    async def _put(self, session_id: str, payload: bytes, ttl: int) -> None:
        if self._remote is None:
            self._l1.set(session_id, _Entry(0, payload), ttl)
            return
        try:
            stored = await self._remote.write(session_id, payload, ttl)
        except Unavailable:
            entry = _Entry(time.time_ns() // 1000, payload)
            self._unsaved[session_id] = (entry, ttl)
            while len(self._unsaved) > _LONE_MAXSIZE:
                del self._unsaved[next(iter(self._unsaved))]
        else:
            entry = _Entry(*stored)
            self._unsaved.pop(session_id, None)
        self._keep(session_id, entry)

    def _keep(self, session_id: str, entry: _Entry, ttl: float | None = None) -> _Entry:
        """Put an entry into L1, unless a newer one came while Redis was asked; returns the newer."""
        present = self._l1.get(session_id)
        if present is not None and present.version > entry.version:
            return present if present.loaded else entry
        self._l1.set(session_id, entry, ttl)
        return entry

    def _forget_older(self, change: Change) -> None:
        present = self._l1.get(change.session)
        known = present is not None or change.session in self._flights
        newer = present is not None and present.version >= change.version
        if change.sender != self._sender and known and not newer:
            self._l1.set(change.session, _Entry(change.version, loaded=False))

    async def _catch_up(self, remote: RedisScopes) -> None:
        """Write what Redis did not take, or lost, and trust nothing that may have changed unheard.

        Of what it may have lost only fresh entries: a deletion is remembered for longer than those.
        """
        for session_id, (entry, ttl) in list(self._unsaved.items()):
            await remote.write(session_id, entry.payload, ttl, older_than=entry.version)
            if self._unsaved.get(session_id) == (entry, ttl):  # and not written anew meanwhile
                del self._unsaved[session_id]
        for session_id, known in self._l1.items():
            if known.payload:
                await remote.write(
                    session_id, known.payload, self._l2_ttl_seconds, older_than=known.version
                )
        self._caught_up += 1
        self._l1.clear()
