"""Whether a server can do its work, told truthfully and cheaply."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Literal, NamedTuple

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.embedding_contract import breach_of
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.single_flight import AsyncSingleFlight
from codeintel_rev.errors import CodeIntelError
from codeintel_rev.mcp_server.public_errors import public
from codeintel_rev.ports import Clock

Document = dict[str, Any]
Mode = Literal["ready", "degraded", "down"]

DEADLINE_S: Final = 2.0
"""A check that takes longer has failed."""

KEPT_S: Final = 1.0
"""How long a result is given again."""

MIN_FREE_BYTES: Final = 64 << 20
"""With less room on its disk an index cannot follow edits."""


class _FaultError(Exception):
    """Raised when a look finds a fault; says which, and names nothing that is not public."""


class Check(NamedTuple):
    """What one look found."""

    name: str
    ok: bool
    detail: str
    required: bool
    """Whether nothing can be served without it."""


class ReadinessProbe:
    """Looks at everything that was configured; belongs to one event loop."""

    def __init__(self, context: ApplicationContext, clock: Clock = time.monotonic) -> None:
        self._context = context
        self._clock = clock
        self._flight = AsyncSingleFlight()
        self._last: Document | None = None
        self._until = 0.0

    async def check(self) -> Document:
        """Return ``{ready, mode, detail, checks}``, at most ``KEPT_S`` old.

        Not ready is who cannot serve; degraded is who serves without something configured.
        """
        if self._last is not None and self._clock() < self._until:
            return self._last
        return await self._flight.do("check", self._check)

    async def _check(self) -> Document:
        looks = [
            self._embedding(),
            self._look("index", self._index, required=True),
            self._look("disk", self._disk, required=False),
        ]
        if self._context.settings.bm25.engine == "lucene":
            looks.append(self._look("bm25", self._words, required=False))
        if self._context.settings.splade.model is not None:
            looks.append(self._look("splade", self._implied_terms, required=False))
        if self._context.settings.embedding.is_remote:
            looks.append(self._look("embedding_server", self._embedding_server, required=False))
        looks += [self._answers(name, ask) for name, ask in self._services()]
        checks = await asyncio.gather(*looks)
        self._last = _document(checks)
        self._until = self._clock() + KEPT_S
        return self._last

    async def _look(self, name: str, look: Callable[[], str], *, required: bool) -> Check:
        try:
            async with asyncio.timeout(DEADLINE_S):
                return Check(name, True, await asyncio.to_thread(look), required)
        except TimeoutError:
            return Check(name, False, f"did not answer within {DEADLINE_S:g} s", required)
        except _FaultError as error:
            return Check(name, False, str(error), required)
        except CodeIntelError as error:
            return Check(name, False, public(error).message, required)
        except OSError as error:
            return Check(name, False, error.strerror or type(error).__name__, required)

    def _services(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what was configured beside the index, and how it is asked for a sign of life."""
        models = self._context.models
        if self._context.settings.redis.url:
            yield "redis", self._context.scope_store.ping
        if models.chat is not None:
            yield "chat", models.chat.check
        if models.reranker is not None:
            yield "rerank", models.reranker.check

    async def _answers(self, name: str, ask: Callable[[], Awaitable[object]]) -> Check:
        try:
            async with asyncio.timeout(DEADLINE_S):
                said = await ask()
        except TimeoutError:
            return Check(name, False, f"did not answer within {DEADLINE_S:g} s", False)
        except CodeIntelError as error:
            return Check(name, False, error.message, False)
        return Check(name, True, said if isinstance(said, str) else "answers", False)

    async def _embedding(self) -> Check:
        valid, error = await self._check_embedding_contract()
        return Check("embedding", valid, error, required=True)

    async def _check_embedding_contract(self) -> tuple[bool, str]:
        """Return whether model, settings, indexes and server agree, and how they do or do not."""
        found = await self._look("embedding", self._contract, required=True)
        return found.ok, found.detail

    def _contract(self) -> str:
        with self._context.served.use() as index:
            breach = breach_of(index)
            if breach is not None:
                raise _FaultError(str(breach))
            return f"{index.embedder.model_id}, {index.embedder.dim} dimensions"

    def _embedding_server(self) -> str:
        from codeintel_rev.io.remote_embedder import RemoteEmbedder

        with self._context.served.use() as index:
            embedder = index.embedder
            return embedder.check() if isinstance(embedder, RemoteEmbedder) else "in this process"

    def _index(self) -> str:
        """Search, which touches journal, vectors and words."""
        with self._context.served.use() as index:
            _require_something(index)
            found = index.search("ready", limit=1)
            broken = [word for word in found.limits if word.endswith("_error")]
            if broken:
                raise _FaultError(f"damaged: {', '.join(broken)}")
            count = len(index.opened)
            return f"{count} repositor{'y' if count == 1 else 'ies'}"

    def _words(self) -> str:
        """Ask each repository what serves its words."""
        with self._context.served.use() as index:
            return "; ".join(opened.words_health() for opened in index.opened)

    def _implied_terms(self) -> str:
        """Ask each repository what searches its implied terms."""
        with self._context.served.use() as index:
            return "; ".join(opened.sparse_health() for opened in index.opened)

    def _disk(self) -> str:
        free = shutil.disk_usage(self._context.served.data_dir).free
        if free < MIN_FREE_BYTES:
            raise _FaultError(f"{free >> 20} MiB are free")
        return f"{free >> 30} GiB are free"


def _require_something(index: LocalIndex) -> None:
    if not any(opened.snapshots() for opened in index.opened):
        raise _FaultError("nothing is indexed yet")


def _document(checks: list[Check]) -> Document:
    failed = [check for check in checks if not check.ok]
    ready = not any(check.required for check in failed)
    mode: Mode = "down" if not ready else "degraded" if failed else "ready"
    return {
        "ready": ready,
        "mode": mode,
        "detail": "; ".join(f"{check.name}: {check.detail}" for check in failed),
        "checks": {check.name: {"ok": check.ok, "detail": check.detail} for check in checks},
    }
