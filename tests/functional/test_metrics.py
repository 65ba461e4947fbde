"""Metrics of several workers, as Prometheus reads them."""

from __future__ import annotations

import time
from typing import Any

import httpx2

SEARCHES = "codeintel_searches_total"


def asked(method: str, address: str, **options: Any) -> httpx2.Response:
    """Ask over a connection of its own, so that any worker may answer."""
    return httpx2.request(method, address, timeout=90, **options).raise_for_status()


def counted(address: str, name: str) -> float:
    """The sum of a metric over its labels, as whichever worker is asked tells it."""
    accept = {"Accept": "application/openmetrics-text"}
    told = asked("GET", f"{address}/metrics", headers=accept)
    assert told.headers["content-type"].startswith("application/openmetrics-text")
    lines = [line for line in told.text.splitlines() if line.startswith(name)]
    assert lines
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_any_worker_tells_what_all_have_counted(two_workers: str) -> None:
    before = counted(two_workers, SEARCHES)
    for _ in range(20):
        asked("POST", f"{two_workers}/v1/search", json={"query": "total price"})

    def all_tell_the_same() -> bool:
        told = {counted(two_workers, SEARCHES) for _ in range(8)}
        return len(told) == 1 and told.pop() >= before + 20

    deadline = time.monotonic() + 60
    while not all_tell_the_same():  # a worker counts for the others a moment later
        assert time.monotonic() < deadline
    assert counted(two_workers, "codeintel_index_usable") == 1
    assert counted(two_workers, "codeintel_faiss_index_size") == 2
