"""What serving costs beyond searching, and how many requests a server takes.

    python benchmarks/server.py DATA_DIR [--queries 300] [--seconds 10] [--workers 2]

``cpu_ms`` is processor time a request, the server's own (other work on the machine does not count):
of a search through the Python API, through ``POST /v1/search``, through the MCP tool
``semantic_search``, and of an MCP tool that does nothing but return the same document. ``kept`` asks
one query again and again of a server that keeps results, so that nothing is searched: what remains is
serving, without the caches that it and a search take from one another.
``closed_loop`` keeps 1, 16 and 64 connections busy with distinct queries, the load generator on the
same machine. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from threading import Thread

from machine import machine

from codeintel_rev.app.documents import search_document
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.config.settings import load_settings

EMPTY_TOOL = """
import json, sys, uvicorn
from fastmcp import FastMCP
from codeintel_rev.app.logs import quiet_libraries
from codeintel_rev.mcp_server.schemas import SearchOut
quiet_libraries()
document = json.load(open(sys.argv[1]))
server = FastMCP("empty")
@server.tool
async def semantic_search(query: str, limit: int = 20) -> SearchOut:
    return document
uvicorn.run(server.http_app(path="/mcp", stateless_http=True), port=int(sys.argv[2]),
            access_log=False, log_level="warning")
"""
TICKS = os.sysconf("SC_CLK_TCK")
LIMIT = 10


def queries_of(index: LocalIndex, count: int) -> list[str]:
    """Distinct queries: what stands in names and first lines of documentation of the index."""
    symbols = [
        f"{symbol.name} {symbol.doc}"[:120].strip()
        for opened in index.opened
        for snapshot in opened.snapshots()[:1]
        for symbol in _symbols(opened, snapshot)
    ]
    return list(dict.fromkeys(symbols))[:count]


def _symbols(opened, snapshot):  # type: ignore[no-untyped-def]
    with opened.view() as view:
        return [symbol for _, _, symbol in view.catalog.symbols_like(snapshot, "")]


def cpu_s(pid: int) -> float:
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def post(connection: http.client.HTTPConnection, path: str, body: dict[str, object]) -> bytes:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    found = answer.read()
    assert answer.status == 200, found
    return found


def tool_call(query: str) -> dict[str, object]:
    arguments = {"query": query, "limit": LIMIT}
    parameters = {"name": "semantic_search", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}


def costs(pid: int, queries: list[str], ask: Callable[[str], object]) -> dict[str, float]:
    for query in queries[:20]:
        ask(query)
    before, walls = cpu_s(pid), []
    for query in queries:
        started = time.perf_counter()
        ask(query)
        walls.append((time.perf_counter() - started) * 1000)
    spent = (cpu_s(pid) - before) * 1000 / len(queries)
    return {"cpu_ms": round(spent, 2), "p50_ms": round(statistics.median(walls), 2)}


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    found = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield found
    finally:
        found.send_signal(signal.SIGTERM)
        found.wait(60)


@contextmanager
def serving(data_dir: Path, workers: int, *, refresh: bool = False) -> Iterator[tuple[int, int]]:
    """Give the process id and the port of a server."""
    os.environ["SERVER_REFRESH"] = str(refresh).lower()
    arguments = ("--data-dir", str(data_dir), "--port", "0", "--workers", str(workers))
    with process(sys.executable, "-P", "-m", "codeintel_rev", "serve", *arguments) as server:
        assert server.stderr is not None
        port = int(server.stderr.readline().rpartition(":")[2])
        # a server whose log nobody reads waits for its reader
        Thread(target=copyfileobj, args=(server.stderr, sys.stderr), daemon=True).start()
        wait_for(port, "/readyz")
        yield server.pid, port


def wait_for(port: int, path: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)


def overhead(data_dir: Path, count: int) -> dict[str, object]:
    index = LocalIndex(data_dir, load_settings({}))
    queries = queries_of(index, count)
    found: dict[str, object] = {"queries": len(queries)}
    found["python_api"] = costs(os.getpid(), queries, lambda q: index.search(q, limit=LIMIT))
    documents = [search_document(index.search(query, limit=LIMIT)) for query in queries]
    by_size = sorted(documents, key=lambda found: len(json.dumps(found)))
    document = by_size[len(documents) // 2]
    with serving(data_dir, 1) as (pid, port):
        http_ = http.client.HTTPConnection("127.0.0.1", port)
        body = {"limit": LIMIT}
        found["v1_search"] = costs(
            pid, queries, lambda q: post(http_, "/v1/search", body | {"query": q})
        )
        found["mcp_semantic_search"] = costs(
            pid, queries, lambda q: post(http_, "/mcp", tool_call(q))
        )
    found["kept"] = kept(data_dir, document["query"], len(queries))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "document.json"
        file.write_text(json.dumps(document))
        command = (sys.executable, "-P", "-c", EMPTY_TOOL, str(file), "18999")
        with process(*command) as empty:
            wait_for(18999, "/")
            http_ = http.client.HTTPConnection("127.0.0.1", 18999)
            found["mcp_empty_tool"] = costs(
                empty.pid, queries, lambda q: post(http_, "/mcp", tool_call(q))
            )
    index.close()
    return found


def kept(data_dir: Path, query: str, count: int) -> dict[str, object]:
    """Return what a result costs that was found before."""
    os.environ["SERVER_RESULT_CACHE"] = "10"
    with serving(data_dir, 1) as (pid, port):
        del os.environ["SERVER_RESULT_CACHE"]
        http_ = http.client.HTTPConnection("127.0.0.1", port)
        body = {"limit": LIMIT, "query": query}
        return {
            "v1_search": costs(pid, [query] * count, lambda _: post(http_, "/v1/search", body)),
            "mcp_semantic_search": costs(
                pid, [query] * count, lambda q: post(http_, "/mcp", tool_call(q))
            ),
        }


async def keep_busy(port: int, queries: Iterator[str], until: float, walls: list[float]) -> int:
    """Ask one query after another over one connection; returns how many were refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    refused = 0
    while time.perf_counter() < until:
        body = json.dumps({"query": next(queries), "limit": LIMIT}).encode()
        head = (
            f"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        if answer.split(b" ", 2)[1] == b"200":
            walls.append((time.perf_counter() - started) * 1000)
        else:
            refused += 1
    writer.close()
    return refused


def distinct(queries: list[str]) -> Iterator[str]:
    number = 0
    while True:
        for query in queries:
            number += 1
            yield f"{query} {number}"


async def closed_loop(port: int, queries: list[str], connections: int, seconds: float):  # type: ignore[no-untyped-def]
    walls: list[float] = []
    supply = distinct(queries)
    until = time.perf_counter() + seconds
    busy = (keep_busy(port, supply, until, walls) for _ in range(connections))
    refused = sum(await asyncio.gather(*busy))
    walls.sort()
    return {
        "requests_per_s": round(len(walls) / seconds, 1),
        "refused": refused,
        "p50_ms": round(walls[len(walls) // 2], 1),
        "p95_ms": round(walls[int(len(walls) * 0.95)], 1),
        "p99_ms": round(walls[int(len(walls) * 0.99)], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    result = {"machine": machine(), "cost": overhead(options.data_dir, options.queries)}
    index = LocalIndex(options.data_dir, load_settings({}))
    queries = queries_of(index, 5000)
    with index.opened[0].view() as view:
        result["chunks"] = int(view.live.sum())
    index.close()
    with serving(options.data_dir, options.workers) as (_, port):
        result["closed_loop"] = {
            str(connections): asyncio.run(closed_loop(port, queries, connections, options.seconds))
            for connections in (1, 16, 64)
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
