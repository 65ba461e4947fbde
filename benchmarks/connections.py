"""How a client's connections spread over the workers of a server, and what a killed worker costs.

    python benchmarks/connections.py DATA_DIR [--trials 20] [--workers 2]

``spread`` opens a pool of 16 and one of 64 connections, asks once over each, and counts which worker
holds how many: ``at_once`` as a client that starts under load does, ``one_by_one`` as one whose load
grows. ``killed`` keeps 32 connections busy and kills a worker: a request that was under way there is
lost, and ``longest_ms`` is how long anybody waited for a reply or a new connection. Prints one JSON
document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from machine import machine
from server import serving

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POOLS = (16, 64)
BUSY = 32
KILL_AFTER_S = 1.0
BUSY_S = 5.0
ESTABLISHED = "01"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ask(connection: Connection) -> None:
    reader, writer = connection
    writer.write(REQUEST)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)


async def opened(port: int) -> Connection:
    connection = await asyncio.open_connection("127.0.0.1", port)
    await ask(connection)
    return connection


async def shares(pid: int, port: int, size: int, *, at_once: bool) -> list[int]:
    """Open a pool; returns how many connections each worker holds, most first."""
    if at_once:
        pool = await asyncio.gather(*(opened(port) for _ in range(size)))
    else:
        pool = [await opened(port) for _ in range(size)]
    found = held(pid, port)
    for _, writer in pool:
        writer.close()
    for _, writer in pool:
        with suppress(OSError):
            await writer.wait_closed()
    while sum(held(pid, port)):  # noqa: ASYNC110  other processes let go of them
        await asyncio.sleep(0.01)
    return found


def workers_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"spawn_main" in command]


def held(pid: int, port: int) -> list[int]:
    """Return how many connections to ``port`` each worker of a server holds, most first."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {
        f"socket:[{row[9]}]"
        for row in rows
        if int(row[1].partition(":")[2], 16) == port and row[3] == ESTABLISHED
    }
    return sorted((len(inodes & _links(worker)) for worker in workers_of(pid)), reverse=True)


def _links(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(str(link.readlink()))
    return found


def spread(pid: int, port: int, trials: int, workers: int) -> dict[str, object]:
    found = {}
    while not all(asyncio.run(shares(pid, port, 2 * workers, at_once=False))):
        time.sleep(0.1)  # not all of them serve yet
    for size in POOLS:
        for name, at_once in (("at_once", True), ("one_by_one", False)):
            runs = [asyncio.run(shares(pid, port, size, at_once=at_once)) for _ in range(trials)]
            found[f"{size}_{name}"] = {
                ":".join(map(str, run)): count for run, count in Counter(map(tuple, runs)).items()
            }
    return found


async def killed(pid: int, port: int) -> dict[str, float]:
    """Return what 32 busy clients notice of a worker that is killed."""
    until = time.perf_counter() + BUSY_S
    noticed: Counter[str] = Counter()
    waits = [0.0]
    busy = [asyncio.create_task(_busy(port, until, noticed, waits)) for _ in range(BUSY)]
    await asyncio.sleep(KILL_AFTER_S)
    os.kill(workers_of(pid)[0], signal.SIGKILL)
    await asyncio.gather(*busy)
    return {**noticed, "longest_ms": round(max(waits) * 1000)}


async def _busy(port: int, until: float, noticed: Counter[str], waits: list[float]) -> None:
    connection: Connection | None = None
    while time.perf_counter() < until:
        began = time.perf_counter()
        try:
            if connection is None:
                connection = await asyncio.open_connection("127.0.0.1", port)
            await ask(connection)
            noticed["answered"] += 1
        except (OSError, EOFError):
            noticed["broken"] += 1
            connection = None
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    if connection is not None:
        connection[1].close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    result: dict[str, object] = {"machine": machine(), "workers": options.workers}
    os.environ["SERVER_LOG_REQUESTS"] = "false"
    with serving(options.data_dir, options.workers) as (pid, port):
        result["spread"] = spread(pid, port, options.trials, options.workers)
        result["killed"] = asyncio.run(killed(pid, port))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
