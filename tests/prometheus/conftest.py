"""A real Prometheus that scrapes a real server of two workers, with the rules that are shipped."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.config.settings import load_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".prometheus" / "bin"
TIMEOUT_S = 60.0

PY = 'def total_price(items):\n    """Add up what the items cost."""\n    return sum(items)\n'


class Watched(NamedTuple):
    """A server, its Redis and the Prometheus that looks at them."""

    server: subprocess.Popen[str]
    address: str
    redis: PrivateRedis
    prometheus: str
    shop: Path

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression at this moment."""
        asked = httpx2.get(
            f"{self.prometheus}/api/v1/query", params={"query": expression}, timeout=TIMEOUT_S
        )
        told = asked.json()
        assert told["status"] == "success", told
        return told["data"]["result"]  # type: ignore[no-any-return]

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        alerts = self.query('ALERTS{alertstate="firing"}')
        return {alert["metric"]["alertname"] for alert in alerts}


def until(wanted: Callable[[], object], what: str) -> None:
    """Wait until ``wanted()`` is true, at most ``TIMEOUT_S``."""
    deadline = time.monotonic() + TIMEOUT_S
    while not wanted():
        assert time.monotonic() < deadline, f"not within {TIMEOUT_S:g} s: {what}"
        time.sleep(0.2)


def ask(address: str, path: str, document: dict[str, object]) -> int:
    """Return the status of a request, over a connection of its own: any worker may serve it."""
    return httpx2.post(address + path, json=document, timeout=TIMEOUT_S).status_code


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def process(*command: str, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a program until the end of the block."""
    started = subprocess.Popen(command, **options)
    with started:
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()


@contextmanager
def serving(
    shop: Path, data_dir: Path, redis_url: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a folder with two workers; its index is not refreshed."""
    environment = os.environ | {
        "REDIS_URL": redis_url,
        "SERVER_REFRESH": "false",
        "SERVER_RESULT_CACHE": "8",
        "TRACE_FLUSH_SECONDS": "1",
        "TRACE_SEARCH_SHARE": "1",
    }
    command = [sys.executable, "-P", "-m", "codeintel_rev", "serve", "--port", "0"]
    arguments = ["--repo", str(shop), "--data-dir", str(data_dir), "--workers", "2"]
    options: dict[str, Any] = {"env": environment, "stderr": subprocess.PIPE, "text": True}
    with process(*command, *arguments, **options) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert " on http://" in line, line + server.stderr.read()
        yield server, line.split(" on ")[1].strip()


def quick_copy(folder: Path, address: str) -> Path:
    """Write the shipped configuration for a server at ``address``, its waits cut to seconds."""
    rules = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")
    rules = re.sub(r"^ +for: \w+\n", "", rules, flags=re.MULTILINE)
    rules = re.sub(r"\[\d+m\]", "[10s]", rules)
    (folder / "alerts.yml").write_text(rules, encoding="utf-8")
    config = (DEPLOY / "prometheus.yml").read_text(encoding="utf-8")
    config = config.replace("15s", "1s").replace("127.0.0.1:8080", address.partition("//")[2])
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    return folder / "prometheus.yml"


@contextmanager
def watching(folder: Path, *, is_indexed: bool) -> Iterator[Watched]:
    """Start a server of two workers, a Redis, and a Prometheus that has scraped the server."""
    shop, index = folder / "shop", folder / "index"
    shop.mkdir()
    (shop / "price.py").write_text(PY)
    if is_indexed:
        index_repositories([shop], data_dir=index, settings=load_settings({}))
    port, redis = free_port(), PrivateRedis()
    with ExitStack() as running:
        running.callback(redis.close)
        redis.start()
        server, address = running.enter_context(serving(shop, index, redis.url))
        running.enter_context(
            process(
                str(TOOLS / "prometheus"),
                f"--config.file={quick_copy(folder, address)}",
                f"--storage.tsdb.path={folder / 'series'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=error",
            )
        )
        found = Watched(server, address, redis, f"http://127.0.0.1:{port}", shop)
        until(lambda: is_ready(found.prometheus), "Prometheus is ready")
        until(lambda: found.query('up{job="codeintel"} == 1'), "the server was scraped")
        yield found


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A server of an indexed folder."""
    with watching(tmp_path_factory.mktemp("watched"), is_indexed=True) as found:
        yield found


@pytest.fixture
def watched_without_index(tmp_path: Path) -> Iterator[Watched]:
    """A server that has nothing to serve."""
    with watching(tmp_path, is_indexed=False) as found:
        yield found


def is_ready(prometheus: str) -> bool:
    """Return whether Prometheus answers queries."""
    try:
        return httpx2.get(f"{prometheus}/-/ready").status_code == 200
    except httpx2.TransportError:
        return False
