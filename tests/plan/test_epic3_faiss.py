"""The plan's tests of the vector index; what they leave undefined is supplied here."""

from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.config.settings import FaissConfig
from codeintel_rev.io.faiss_dual_index import Batch, FAISSDualIndexManager

vec_dim = 2560


@pytest.fixture
def settings() -> FaissConfig:
    return FaissConfig()


@pytest.fixture
async def index_dir(tmp_path: Path, settings: FaissConfig) -> Path:
    """A folder with an index of 100 vectors."""
    vectors = np.random.default_rng(0).random((100, vec_dim), dtype=np.float32)
    manager = FAISSDualIndexManager(tmp_path, settings, vec_dim=vec_dim)
    await manager.rebuild([Batch(np.arange(100), vectors)])
    return tmp_path


@pytest.mark.asyncio
async def test_ensure_ready_success(index_dir, settings):
    manager = FAISSDualIndexManager(index_dir, settings, vec_dim=2560)
    ready, error = await manager.ensure_ready()

    assert ready is True
    assert error is None or "GPU degraded" in error  # GPU optional


@pytest.mark.asyncio
async def test_ensure_ready_dimension_mismatch(index_dir, settings):
    # Create index with wrong dimension
    manager = FAISSDualIndexManager(index_dir, settings, vec_dim=1024)
    ready, error = await manager.ensure_ready()

    assert ready is False
    assert "Dimension mismatch" in error


async def test_dual_index_search(index_dir, settings):
    manager = FAISSDualIndexManager(index_dir, settings, vec_dim)
    await manager.ensure_ready()

    # Add vector to secondary only
    new_vec = np.random.rand(1, vec_dim).astype(np.float32)
    await manager.add_incremental(new_vec, np.array([99999]))

    # Search should find it (merged from secondary)
    hits = manager.search(new_vec[0], k=10)

    assert any(hit[0] == 99999 for hit in hits)


@pytest.mark.asyncio
async def test_compaction(index_dir, settings):
    manager = FAISSDualIndexManager(index_dir, settings, vec_dim)
    await manager.ensure_ready()

    initial_primary = manager._primary_cpu.ntotal

    # Add many vectors to secondary
    for _ in range(1000):
        vec = np.random.rand(1, vec_dim).astype(np.float32)
        await manager.add_incremental(vec, np.array([_ + 10000]))

    assert manager.needs_compaction()

    # Compact
    await manager.compact()

    # Primary now includes secondary
    assert manager._primary_cpu.ntotal == initial_primary + 1000
    assert manager._secondary_cpu.ntotal == 0
