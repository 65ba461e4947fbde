"""A real vLLM on this machine's CPU: one process a model, started once for all tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv-vllm"
START_S = 600
"""A model needs about a minute on two idle cores."""


class Served(NamedTuple):
    """One running server."""

    url: str
    model: str
    process: subprocess.Popen[bytes]
    log: Path
    options: tuple[str, ...] = ()


def serve(model: str, folder: Path, *options: str, port: int = 0) -> Served:
    """Start a server without waiting for it; on any free port, or on ``port``."""
    with socket.create_server(("127.0.0.1", port)) as free:
        port = free.getsockname()[1]
    log = folder / f"{model}-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                ROOT / "scripts/vllm/serve",
                VENV,
                VENV / "models" / model,
                model,
                str(port),
                *options,
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Served(f"http://127.0.0.1:{port}", model, process, log, options)


def restarted(served: Served, folder: Path) -> Served:
    """Start again, at its address, a server that was stopped; without waiting for it."""
    port = int(served.url.rpartition(":")[2])
    return serve(served.model, folder, *served.options, port=port)


def wait_for(served: Served) -> Served:
    """Wait until a server is healthy."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if served.process.poll() is not None:
            break
        try:
            with urlopen(f"{served.url}/health", timeout=5):
                return served
        except (URLError, OSError):
            time.sleep(0.5)
    stop(served)
    pytest.fail(f"vLLM did not start:\n{served.log.read_text()[-3000:]}")


def stop(served: Served, number: int = signal.SIGKILL) -> None:
    """End a server and its children."""
    try:
        os.killpg(served.process.pid, number)
    except ProcessLookupError:
        return
    served.process.wait(60)
