"""Running the application: one process that serves, or several that share a socket."""

from __future__ import annotations

import gc
import logging
import os
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from codeintel_rev.app.access import Access, is_protected
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.logs import request_log, write_logs
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.app.refresher_process import RefresherProcess
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import IndexUnusable, InvalidArgument, Unavailable

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

_BACKLOG = 2048
_TURN_S = 0.001
"""How long a search keeps the event loop waiting for its turn, at most: after the usual 5 ms requests
and replies were late as soon as searches came close together."""

_KEEP_ALIVE_S = 30
_UNREAD_MS = 60_000
"""A client that takes nothing of its response for so long, or is gone without a word, is let go."""

_OPEN_FILES = 16_384
_WORKER_TIMEOUT_S = 30
"""A worker that shows no sign of life for so long is replaced."""


def serve(
    settings: Settings, root: Path, host: str, port: int, workers: int, told: Callable[[str], None]
) -> None:
    """Serve until the process is told to stop, and let requests that are under way end.

    ``root`` is indexed where there is no index yet. ``told`` is given the address once it listens.

    Raises ``InvalidArgument`` for a public address without tokens, ``SettingsError`` for an index
    of another embedding model, and ``Unavailable`` when the address cannot be had or several
    workers find no Redis.
    """
    _require_tokens(settings, host)
    Access.of(settings)  # raises here what every worker would raise
    _require_contract(settings)
    _allow_open_files()
    write_logs(settings.server.log_format)
    with ExitStack() as resources:
        listening = _listen(host, port)
        resources.callback(listening.close)
        settings = _shared(settings, workers, resources)
        if settings.server.refresh:
            assert settings.data_dir is not None
            resources.callback(RefresherProcess(settings.data_dir, root).close)
        told(_address(host, listening))
        folder = resources.enter_context(TemporaryDirectory(prefix="codeintel-workers-"))
        _run(_config(settings, workers, Path(folder)), listening)


def is_public(host: str) -> bool:
    """Return whether others than this machine can reach a server that listens on ``host``."""
    if host == "localhost":
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True


def _require_tokens(settings: Settings, host: str) -> None:
    if is_public(host) and not is_protected(settings):
        raise InvalidArgument(
            f"{host} can be reached from other machines, and nobody has to say who they are",
            hint="set SERVER_TOKENS_FILE (see `codeintel token`) or OIDC_ISSUER, or serve on 127.0.0.1",
            value=host,
        )


def _require_contract(settings: Settings) -> None:
    """Refuse here what every worker would refuse, where the caller can be told."""
    from codeintel_rev.app.embedding_contract import require_contract

    assert settings.data_dir is not None
    with suppress(IndexUnusable), LocalIndex(settings.data_dir, settings) as index:
        require_contract(index)


def _shared(settings: Settings, workers: int, resources: ExitStack) -> Settings:
    """Return the settings with what all workers have to agree on."""
    server = settings.server
    secret = server.secret or secrets.token_hex()
    threads = server.threads or max(1, (os.cpu_count() or 1) // workers)
    settings = replace(settings, server=replace(server, secret=secret, threads=threads))
    if workers == 1 or settings.redis.url:
        return settings
    redis = PrivateRedis()
    resources.callback(redis.close)
    redis.start()
    redis.keep_alive()
    return replace(settings, redis=replace(settings.redis, url=redis.url))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Unavailable(
            f"{host}:{port} cannot be listened on: {error.strerror}",
            hint="name a free one with --host and --port",
            value=f"{host}:{port}",
        ) from error
    if sys.platform == "linux":  # each connection inherits it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    return listening


def _allow_open_files() -> None:
    """Take as many descriptors as the connections need, where the usual 1,024 may be exceeded."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _address(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"


def _config(settings: Settings, workers: int, shared: Path) -> uvicorn.Config:
    from codeintel_rev.app.connection_counts import create_counts
    from codeintel_rev.app.worker_config import WorkerConfig

    return WorkerConfig(
        partial(_create_app, settings)
        if workers == 1
        else partial(_create_worker_app, settings, os.getpid(), shared),
        create_counts(shared),
        workers=workers,
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_worker_healthcheck=_WORKER_TIMEOUT_S,
        timeout_graceful_shutdown=ceil(settings.server.drain_timeout_s),
        server_header=False,
        date_header=False,
        ws="none",
    )


def _run(config: uvicorn.Config, listening: socket.socket) -> None:
    import uvicorn

    from codeintel_rev.app.supervisor import Supervisor

    if config.workers == 1:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # it raises them again when it has ended
        uvicorn.Server(config).run(sockets=[listening])
    else:
        supervisor = Supervisor(config, [listening])
        supervisor.run()
        if not supervisor.could_start:
            raise Unavailable("no worker could start", hint="the log tells why")


def _create_app(settings: Settings, shared_metrics: Path | None = None) -> FastAPI:
    from codeintel_rev.app.main import create_app

    app = create_app(settings, shared_metrics, request_log(settings.server))
    sys.setswitchinterval(_TURN_S)
    # what is loaded by now stays: looking through it for garbage kept requests waiting for 140 ms
    gc.collect()
    gc.freeze()
    return app


def _create_worker_app(settings: Settings, parent: int, shared_metrics: Path) -> FastAPI:
    from codeintel_rev.app.parent import end_with_parent

    end_with_parent(parent)
    # the library reads it once, when it is first imported
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared_metrics)
    return _create_app(settings, shared_metrics)
