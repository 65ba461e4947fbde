"""A server that is sent what it cannot use refuses it, tells nothing of its insides, and goes on."""

from __future__ import annotations

import os

import httpx2

from .malformed_calls import requests

COUNT = int(os.environ.get("MALFORMED_CALLS", "300"))
SEED = int(os.environ.get("MALFORMED_SEED", "1"))
TIMEOUT_S = 60


def test_no_malformed_call_hangs_or_breaks_the_server(two_workers: str) -> None:
    with httpx2.Client(timeout=TIMEOUT_S) as client:
        for number, (method, headers, body) in enumerate(requests(COUNT, SEED)):
            told = client.request(method, f"{two_workers}/mcp", headers=headers, content=body)
            about = (
                f"call {number}: {method} {body[:300]!r} -> {told.status_code} {told.text[:500]}"
            )
            assert told.status_code < 500, about
            assert "Traceback" not in told.text, about
            assert "site-packages" not in told.text, about
        found = client.post(f"{two_workers}/v1/search", json={"query": "total price"})
        assert found.json()["hits"]
