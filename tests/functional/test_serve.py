"""``codeintel serve``, as those who run it see it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from codeintel_rev.app.auth import new_entry, new_token
from tests.functional.conftest import PY, Serve, running, started


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await condition():  # noqa: ASYNC110  another process decides
            await asyncio.sleep(0.1)


def children(pid: int) -> dict[int, str]:
    """The processes that a process started, and the first words of their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if int(parent) == pid:
                found[int(folder.name)] = command.decode()
    return found


def workers_of(pid: int) -> list[int]:
    return [child for child, line in children(pid).items() if "spawn_main" in line]


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def nobody_of(pids: list[int]) -> bool:
    return not any(alive(pid) for pid in pids)


async def files_found(client: httpx2.AsyncClient, query: str) -> set[str]:
    found = await client.post("/v1/search", json={"query": query})
    return {hit["uri"] for hit in found.json().get("hits", ())}


async def test_a_folder_is_indexed_and_followed_while_it_is_served(
    tmp_path: Path, serve: Serve
) -> None:
    (tmp_path / "price.py").write_text(PY)
    async with httpx2.AsyncClient(base_url=serve("--repo", str(tmp_path)), timeout=60) as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(ready)
        assert await files_found(client, "total price") == {"price.py"}
        (tmp_path / "added.py").write_text("def shipping_cost(parcel):\n    return 4\n")

        async def found() -> bool:
            return "added.py" in await files_found(client, "shipping cost")

        await until(found)


@pytest.mark.timeout(300)
async def test_a_worker_that_dies_is_replaced_and_nobody_outlives_the_server(shop: Path) -> None:
    with running("--repo", str(shop), "--workers", "2") as (process, address):
        async with httpx2.AsyncClient(
            base_url=address, timeout=60, limits=httpx2.Limits(max_keepalive_connections=0)
        ) as client:

            async def complete() -> bool:
                return len(workers_of(process.pid)) == 2

            await until(complete)
            victim = workers_of(process.pid)[0]
            os.kill(victim, signal.SIGKILL)

            async def replaced() -> bool:
                now = workers_of(process.pid)
                return len(now) == 2 and victim not in now

            await until(replaced)
            assert await files_found(client, "total price")
            family = list(children(process.pid))
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 90)
            await until(partial(nobody_of, family))


async def test_a_server_ends_though_a_worker_is_stuck(shop: Path) -> None:
    with started("--repo", str(shop), "--workers", "2", SERVER_DRAIN_TIMEOUT_S="1") as (process, _):

        async def complete() -> bool:
            return len(workers_of(process.pid)) == 2

        await until(complete)
        family = list(children(process.pid))
        os.kill(workers_of(process.pid)[0], signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 90) == 0
        await until(partial(nobody_of, family))


async def test_a_killed_server_leaves_no_process_behind(shop: Path) -> None:
    with started("--repo", str(shop), "--workers", "2") as (process, _):

        async def complete() -> bool:
            return len(workers_of(process.pid)) == 2

        await until(complete)
        family = list(children(process.pid))
        process.kill()
        await until(partial(nobody_of, family))


async def test_each_request_is_a_line_of_the_log(shop: Path) -> None:
    with started("--repo", str(shop), SERVER_LOG_FORMAT="json") as (process, address):
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
            found = await client.post("/v1/search", json={"query": "total price"})
        assert process.stderr is not None
        line = json.loads(await asyncio.to_thread(process.stderr.readline))
        assert (line["event"], line["route"], line["status"]) == ("request", "/v1/search", 200)
        assert line["trace_id"] == found.headers["X-Trace-ID"]


async def test_sessions_go_on_while_redis_is_away(shop: Path) -> None:
    with running("--repo", str(shop), "--workers", "2") as (process, address):
        (redis,) = [pid for pid, line in children(process.pid).items() if "unixsocket" in line]
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:  # one worker
            session = {"X-Session-ID": "mine"}
            await client.put("/v1/scope", json={"languages": ["go"]}, headers=session)
            os.kill(redis, signal.SIGKILL)
            found = await client.post("/v1/search", json={"query": "total price"}, headers=session)
            assert {hit["uri"] for hit in found.json()["hits"]} == {"price.go"}
            other = {"X-Session-ID": "other"}
            told = await client.post("/v1/search", json={"query": "total price"}, headers=other)
            assert told.json()["limits"] == ["redis_unavailable"]

            async def degraded() -> bool:
                found = await client.get("/readyz")
                return found.status_code == 200 and found.json()["mode"] == "degraded"

            await until(degraded)


async def test_tokens_decide_who_may_call_and_what_they_see(
    tmp_path: Path, shop: Path, serve: Serve
) -> None:
    token = new_token()
    file = tmp_path / "tokens.toml"
    file.write_text(new_entry("ann", token, ["elsewhere"]))
    address = serve("--repo", str(shop), "--host", "0.0.0.0", SERVER_TOKENS_FILE=str(file))
    address = address.replace("0.0.0.0", "127.0.0.1")
    async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
        assert (await client.get("/v1/files")).status_code == 401
        seen = await client.get("/v1/files", headers={"Authorization": f"Bearer {token}"})
        assert (seen.status_code, seen.json()["total"]) == (200, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--host", "0.0.0.0"), 3, "SERVER_TOKENS_FILE"),
        (("--host", "203.0.113.9"), 3, "SERVER_TOKENS_FILE"),
        (("--port", "99999"), 2, "--port"),
        (("--workers", "0"), 2, "--workers"),
        (("--repo", "/nowhere"), 3, "/nowhere"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "codeintel_rev", "serve", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
    assert not any(tmp_path.iterdir())


def test_what_no_worker_could_start_with_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "tokens.toml").write_text("no toml")
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "codeintel_rev", "serve", "--port", "0", "--workers", "2"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "SERVER_TOKENS_FILE": str(tmp_path / "tokens.toml")},
        timeout=60,
        check=False,
    )
    assert (ran.returncode, "tokens.toml" in ran.stderr) == (3, True), ran.stderr


def test_a_token_is_shown_once_and_its_entry_holds_a_hash(tmp_path: Path) -> None:
    made: Any = subprocess.run(
        [sys.executable, "-P", "-m", "codeintel_rev", "token", "ann", "--repo-name", "shop"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert 'name = "ann"' in made.stdout
    assert 'repos = ["shop"]' in made.stdout
    token = made.stderr.split()[-1]
    assert token.startswith("codeintel_")
    assert token not in made.stdout


def test_every_worker_finds_the_same(two_workers: str) -> None:
    for query in ("total price", "sum of items", "TotalPrice", "package shop"):
        found = [
            httpx2.post(f"{two_workers}/v1/search", json={"query": query}, timeout=60).json()[
                "hits"
            ]
            for _ in range(6)  # each over a connection of its own, which any worker may take
        ]
        assert found[0]
        assert all(hits == found[0] for hits in found)
