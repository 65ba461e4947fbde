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
from tests.fakes.model_server import ModelServer
from tests.fakes.model_server import serving as serving_model

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".prometheus" / "bin"
TIMEOUT_S = 240.0
"""Of what comes within seconds on a machine that has nothing else to do."""

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


def until(wanted: Callable[[], object], what: str, within_s: float = TIMEOUT_S) -> None:
    """Wait until ``wanted()`` is true, at most ``within_s``."""
    deadline = time.monotonic() + within_s
    while not wanted():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
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
                started.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                started.kill()


@contextmanager
def serving(
    shop: Path, data_dir: Path, redis_url: str, *before: str, workers: int = 2, **settings: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a folder; its index is not refreshed. ``before`` is a command that runs the server."""
    environment = (
        os.environ
        | settings
        | {
            "REDIS_URL": redis_url,
            "SERVER_REFRESH": "false",
            "SERVER_RESULT_CACHE": "8",
            "TRACE_FLUSH_SECONDS": "1",
            "TRACE_SEARCH_SHARE": "1",
        }
    )
    command = [sys.executable, "-P", "-m", "codeintel_rev", "serve", "--port", "0"]
    arguments = ["--repo", str(shop), "--data-dir", str(data_dir)]
    arguments += ["--workers", str(workers)]
    options: dict[str, Any] = {"env": environment, "stderr": subprocess.PIPE, "text": True}
    with process(*before, *command, *arguments, **options) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert " on http://" in line, line + server.stderr.read()
        yield server, line.split(" on ")[1].strip()


def quick_copy(folder: Path, address: str) -> Path:
    """Write the shipped configuration for a server at ``address``, its days cut to seconds."""
    rules = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")
    rules = re.sub(r"^ +for: \w+\n", "", rules, flags=re.MULTILINE)
    rules = rules.replace("[1h] offset 1d", "[5s] offset 10s").replace("[1d]", "[20s]")
    rules = re.sub(r"\[\d+m\]", "[10s]", rules).replace("> 5000", "> 5")
    (folder / "alerts.yml").write_text(rules, encoding="utf-8")
    config = (DEPLOY / "prometheus.yml").read_text(encoding="utf-8")
    config = config.replace("15s", "1s").replace("127.0.0.1:8080", address.partition("//")[2])
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    return folder / "prometheus.yml"


@contextmanager
def watching(
    folder: Path, *before: str, is_indexed: bool = True, workers: int = 2, **settings: str
) -> Iterator[Watched]:
    """Start a server, a Redis, and a Prometheus that has scraped the server."""
    shop, index = folder / "shop", folder / "index"
    shop.mkdir()
    (shop / "price.py").write_text(PY)
    if is_indexed:
        index_repositories([shop], data_dir=index, settings=load_settings(settings))
    port, redis = free_port(), PrivateRedis()
    with ExitStack() as running:
        running.callback(redis.close)
        redis.start()
        server, address = running.enter_context(
            serving(shop, index, redis.url, *before, workers=workers, **settings)
        )
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
    with watching(tmp_path_factory.mktemp("watched")) as found:
        yield found


def on_small_disk(folder: Path) -> tuple[str, ...]:
    """Return a command that runs another one, for which ``folder`` lies on a disk of its own."""
    copied = 'cp -r "$1" "$1.copy" && mount -t tmpfs -o size=256m none "$1"'
    run = f'{copied} && cp -r "$1.copy/." "$1" && shift && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", run, "sh", str(folder))


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A server with little room for work, a small disk, no place for traces and a model that stalls."""
    folder = tmp_path_factory.mktemp("hurt")
    (folder / "index").mkdir()
    (folder / "index" / "traces").write_text("no folder")
    mounts = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", str(folder / "index")], check=False
    )
    if mounts.returncode:
        pytest.skip("mounting takes rights that this process does not have")
    model = ModelServer()
    model.stall_after = 0
    with serving_model(model):
        settings = {
            "ANSWER_SYNTHESIS_TIMEOUT_MS": "7000",
            "ANSWER_TIME_BUDGET_MS": "20000",
            "SERVER_QUEUE": "0",
            "SERVER_THREADS": "1",
            "TRACE_CAPACITY": "1",
            "VLLM_CHAT_BASE_URL": model.url,
            "VLLM_CHAT_MODEL": "m",
        }
        with watching(folder, *on_small_disk(folder / "index"), workers=1, **settings) as found:
            yield found


@pytest.fixture
def embedder() -> Iterator[ModelServer]:
    """An embedding server."""
    server = ModelServer()
    with serving_model(server):
        yield server


@pytest.fixture
def embedded(tmp_path: Path, embedder: ModelServer) -> Iterator[Watched]:
    """A server whose searches wait for the vectors of the embedding server."""
    settings = {
        "EMBEDDING_MODEL_ID": "m",
        "EMBEDDING_PROVIDER": "vllm",
        "VLLM_EMBEDDING_BASE_URL": embedder.url,
    }
    with watching(tmp_path, workers=1, **settings) as found:
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
