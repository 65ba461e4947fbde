from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vllm.servers import Served, serve, stop, wait_for


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
