"""The plan's test of readiness."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import faiss
import pytest

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.local import open_index
from codeintel_rev.app.readiness import ReadinessProbe
from codeintel_rev.config.settings import load_settings


@pytest.fixture
def test_index(tmp_path: Path) -> str:
    """Where the FAISS index of a small repository lies."""
    (tmp_path / "a.py").write_text("def a():\n    return 1\n")
    with open_index(tmp_path, settings=load_settings({})) as index:
        (opened,) = index.opened
        return str(opened.folder.vectors / "test_index.faiss")


@pytest.fixture
async def context(tmp_path: Path, test_index: str) -> AsyncIterator[ApplicationContext]:
    settings = replace(load_settings({}), data_dir=tmp_path / ".codeintel")
    context = await ApplicationContext.create(settings)
    yield context
    await context.close()


@pytest.mark.asyncio
async def test_readiness_dimension_mismatch(context, test_index):
    # Create FAISS index with wrong dimension
    wrong_index = faiss.IndexFlatIP(1024)
    faiss.write_index(wrong_index, test_index)

    probe = ReadinessProbe(context)
    ready = await probe.check()

    assert ready["ready"] is False
    assert "dimension mismatch" in ready["detail"].lower()
