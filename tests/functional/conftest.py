"""The real server, started as its users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import load_settings

START_TIMEOUT_S = 90.0
END_TIMEOUT_S = 90.0

PY = "def total_price(items):\n    return sum(items)\n"
GO = "package shop\n\nfunc TotalPrice(items []int) int {\n\treturn len(items)\n}\n"

Serve = Callable[..., str]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of Python and one of Go, indexed."""
    root = tmp_path_factory.mktemp("served") / "shop"
    root.mkdir()
    (root / "price.py").write_text(PY)
    (root / "price.go").write_text(GO)
    open_index(root, settings=load_settings({})).close()
    return root


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``codeintel serve`` and give its process and address; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "codeintel_rev", "serve", "--port", "0", *arguments],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        try:
            line = process.stderr.readline()
            assert " on http://" in line, line + process.stderr.read()
            yield process, line.split(" on ")[1].strip()
        finally:
            process.kill()


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``codeintel serve`` and give its process and address; it must end well at SIGTERM."""
    with started(*arguments, **environment) as (process, address):
        yield process, address
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_TIMEOUT_S) == 0


@pytest.fixture(scope="session")
def two_workers(shop: Path) -> Iterator[str]:
    """The address of a server with two workers."""
    with running("--repo", str(shop), "--workers", "2") as (_, address):
        yield address


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that end with the test."""
    with ExitStack() as servers:

        def start(*arguments: str, **environment: str) -> str:
            return servers.enter_context(running(*arguments, **environment))[1]

        yield start
