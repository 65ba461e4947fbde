"""Whether a server can do its work, told truthfully and cheaply."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.repository import OpenRepository
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
            self._look("embedding", self._embedding, required=True),
            self._look("index", self._index, required=True),
            self._look("disk", self._disk, required=False),
        ]
        if self._context.settings.bm25.engine == "lucene":
            looks.append(self._look("bm25", self._words, required=False))
        if self._context.settings.redis.url:
            looks.append(self._redis())
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

    async def _redis(self) -> Check:
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._context.scope_store.ping()
        except TimeoutError:
            return Check("redis", False, f"did not answer within {DEADLINE_S:g} s", False)
        except CodeIntelError as error:
            return Check("redis", False, error.message, False)
        return Check("redis", True, "answers", False)

    def _embedding(self) -> str:
        """Compare the model with what the settings and every index expect."""
        with self._context.served.use() as index:
            embedder = index.embedder
            index.settings.embedding.require(embedder.model_id, embedder.dim)
            for opened in index.opened:
                for what, dim in _dimensions(opened):
                    if dim != embedder.dim:
                        raise _FaultError(
                            f"dimension mismatch: {what} has {dim}, "
                            f"the model {embedder.model_id} has {embedder.dim}"
                        )
            return f"{embedder.model_id}, {embedder.dim} dimensions"

    def _index(self) -> str:
        """Search, which touches journal, vectors and words."""
        with self._context.served.use() as index:
            _require_something(index)
            found = index.search("ready", limit=1)
            broken = [word for word in found.limits if word.endswith("_error")]
            if broken:
                raise _FaultError(f"damaged: {', '.join(broken)}")
            return f"{len(index.opened)} repositories"

    def _words(self) -> str:
        """Ask each repository what serves its words."""
        with self._context.served.use() as index:
            return "; ".join(opened.words_health() for opened in index.opened)

    def _disk(self) -> str:
        free = shutil.disk_usage(self._context.served.data_dir).free
        if free < MIN_FREE_BYTES:
            raise _FaultError(f"{free >> 20} MiB are free")
        return f"{free >> 30} GiB are free"


def _require_something(index: LocalIndex) -> None:
    if not any(opened.snapshots() for opened in index.opened):
        raise _FaultError("nothing is indexed yet")


def _dimensions(opened: OpenRepository) -> list[tuple[str, int]]:
    """Return the length of the vectors in each file that says it."""
    found = [
        (file.name, _faiss_dimension(file, file.stat().st_mtime_ns))
        for file in sorted(opened.folder.vectors.rglob("*.faiss"))
    ]
    with opened.view() as view:
        generation = 0 if view is None else view.generation
    chunks = opened.folder.catalog(generation) / "chunks.parquet"
    if chunks.is_file():
        found.append((chunks.name, _parquet_dimension(chunks, chunks.stat().st_mtime_ns)))
    return found


@lru_cache(maxsize=1024)
def _faiss_dimension(file: Path, _changed_ns: int) -> int:
    import faiss

    try:
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY
        return int(faiss.read_index(str(file), flags).d)
    except RuntimeError as error:
        raise _FaultError(f"{file.name} cannot be read") from error


@lru_cache(maxsize=1024)
def _parquet_dimension(file: Path, _changed_ns: int) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_schema(file).field("embedding").type.list_size)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _FaultError(f"{file.name} cannot be read") from error


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
