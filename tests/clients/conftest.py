"""A server of a repository with a history, for clients that others wrote."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import load_settings
from tests.functional.conftest import GO, PY, running

CLIENTS = Path(__file__).parents[2] / ".clients"
"""Where `make test-clients` installs them."""


@pytest.fixture(scope="session")
def committed_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one file of Python and one of Go, indexed."""
    root = tmp_path_factory.mktemp("clients") / "shop"
    root.mkdir()
    (root / "price.py").write_text(PY)
    (root / "price.go").write_text(GO)
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "open the shop")):
        subprocess.run(["git", *identity, *command], cwd=root, check=True)
    open_index(root, settings=load_settings({})).close()
    return root


@pytest.fixture(scope="session")
def served_by_two(committed_shop: Path) -> Iterator[str]:
    """The address of the tools of a server with two workers."""
    with running("--repo", str(committed_shop), "--workers", "2") as (_, address):
        yield f"{address}/mcp"
