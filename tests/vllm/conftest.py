from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.config.settings import Settings, load_settings
from tests.vllm.asking import Configure
from tests.vllm.servers import ROOT, Served, serve, stop, wait_for

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    folder = tmp_path_factory.mktemp("vllm")
    found = {
        "minilm": serve("minilm", folder, "--dtype", "float32"),
        "smollm2": serve("smollm2", folder, "--dtype", "float32", "--max-model-len", "4096"),
    }
    try:
        for served in found.values():
            wait_for(served)
        yield found
    finally:
        for served in found.values():
            stop(served)


@pytest.fixture
def minilm(servers: dict[str, Served]) -> Served:
    return servers["minilm"]


@pytest.fixture
def smollm2(servers: dict[str, Served]) -> Served:
    return servers["smollm2"]


@pytest.fixture(scope="session")
def configure(servers: dict[str, Served]) -> Configure:
    """Return the settings of somebody who embeds by MiniLM, and more by name."""

    def settings(**more: str) -> Settings:
        return load_settings(
            {
                "EMBEDDING_PROVIDER": "vllm",
                "EMBEDDING_MODEL_ID": MINILM,
                "VLLM_EMBEDDING_MODEL": "minilm",
                "VLLM_EMBEDDING_BASE_URL": servers["minilm"].url,
                "VLLM_SCORE_BASE_URL": servers["minilm"].url,
                "VLLM_CHAT_BASE_URL": servers["smollm2"].url,
                "VLLM_TIMEOUT_S": "300",
                "VLLM_QUERY_TIMEOUT_MS": "60000",
                "ANSWER_TIME_BUDGET_MS": "120000",
                "ANSWER_RERANK_TIMEOUT_MS": "60000",
                "ANSWER_SYNTHESIS_TIMEOUT_MS": "300000",
                "ANSWER_SYNTHESIS_GAP_MS": "120000",
                "ANSWER_SYNTHESIS_TOTAL_MS": "600000",
                "ANSWER_MAX_INPUT_TOKENS": "1200",
                "ANSWER_MAX_OUTPUT_TOKENS": "48",
                **more,
            }
        )

    return settings


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of this repository."""
    root = tmp_path_factory.mktemp("repository")
    for folder in ("answer", "retrieval"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "codeintel_rev" / folder, root / folder, ignore=ignored)
    return root


@pytest.fixture(scope="session")
def index(configure: Configure, repository: Path) -> Iterator[LocalIndex]:
    with open_index(repository, settings=configure()) as index:
        yield index
