"""Readiness tells what works, and what does not that was configured."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import faiss
import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.local import open_index
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.app.readiness import ReadinessProbe
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.config.settings import RedisConfig, load_settings
from codeintel_rev.errors import SettingsError
from codeintel_rev.io.nearest_index import INDEX_FILE
from tests.fakes.clock import FakeClock

Create = Callable[..., AbstractAsyncContextManager[ApplicationContext]]


@pytest.fixture
def create(tmp_path: Path) -> Create:
    """Create the context of an index, with Redis at an address or without."""
    (tmp_path / "a.py").write_text("def a():\n    return 1\n")
    open_index(tmp_path, settings=load_settings({})).close()

    @asynccontextmanager
    async def create(redis: str = "") -> AsyncIterator[ApplicationContext]:
        settings = replace(
            load_settings({}), data_dir=tmp_path / ".codeintel", redis=RedisConfig(url=redis)
        )
        context = await ApplicationContext.create(settings)
        yield context
        await context.close()

    return create


async def test_what_was_never_configured_does_not_count(create: Create) -> None:
    async with create() as context:
        found = await ReadinessProbe(context).check()
    assert (found["ready"], found["mode"], found["detail"]) == (True, "ready", "")
    assert set(found["checks"]) == {"embedding", "index", "disk"}


async def test_without_redis_it_serves_on_and_says_so(create: Create) -> None:
    server = PrivateRedis()
    server.start()
    clock = FakeClock()
    try:
        async with create(redis=server.url) as context:
            probe = ReadinessProbe(context, clock)
            assert (await probe.check())["mode"] == "ready"
            server.stop()
            assert (await probe.check())["mode"] == "ready"  # what was seen a moment ago
            clock.now += 10
            found = await probe.check()
            assert (found["ready"], found["mode"]) == (True, "degraded")
            assert "redis" in found["detail"]
            server.start()
            clock.now += 10
            assert (await probe.check())["mode"] == "ready"
    finally:
        server.close()


async def test_an_index_that_is_gone_cannot_be_served(create: Create, tmp_path: Path) -> None:
    (tmp_path / ".codeintel" / "registry.sqlite").unlink()
    async with create() as context:
        found = await ReadinessProbe(context).check()
    assert (found["ready"], found["mode"]) == (False, "down")
    assert not found["checks"]["index"]["ok"]


@pytest.fixture
def faiss_index(create: Create, tmp_path: Path) -> str:
    """Where a compacted repository keeps its FAISS index."""
    del create
    compact_data_dir(tmp_path / ".codeintel", progress=quiet)
    (catalog,) = tmp_path.glob(".codeintel/repos/*/catalog/*/")
    return str(catalog / INDEX_FILE)


async def test_the_index_of_a_compacted_repository_is_held_to_the_contract(
    create: Create, faiss_index: str
) -> None:
    faiss.write_index(faiss.IndexFlatIP(8), faiss_index)
    with pytest.raises(SettingsError, match=r"dimension mismatch: vectors\.faiss has 8"):
        async with create():
            pass
