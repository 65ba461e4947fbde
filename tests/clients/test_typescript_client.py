"""The official TypeScript client, over HTTP with two workers and over standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import CLIENTS

pytestmark = pytest.mark.clients


def session(*target: str) -> dict[str, Any]:
    """What a client saw that works for a while; see the script."""
    ran = subprocess.run(
        ["node", str(CLIENTS / "session.mjs"), *target],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen


def test_a_session_over_http(served_by_two: str) -> None:
    require_all(session(served_by_two))


def test_a_session_over_standard_input_and_output(committed_shop: Path) -> None:
    command = ("-P", "-m", "codeintel_rev", "mcp", "--repo", str(committed_shop))
    require_all(session(sys.executable, *command))


def require_all(seen: dict[str, Any]) -> None:
    assert seen["server"]["name"] == "codeintel"
    assert "semantic_search" in seen["instructions"]
    assert len(seen["tools"]) == 12
    assert seen["resources"] == ["codeintel://repositories"]
    assert set(seen["prompts"]) == {"explain", "change_impact", "why_so"}
    for search in (seen["search"], seen["afterwards"]):
        files = {hit["uri"] for hit in search["document"]["hits"]}
        assert files == {"price.go"}, "the scope holds, with no handle passed"
    assert seen["open"]["document"]["content"].startswith("package shop")
    assert seen["blame"]["document"]["blame"][0]["author"] == "Ann"
    assert "price.go:" in seen["answer"]["document"]["answer"]
    assert seen["wrong"]["isError"]
    assert seen["wrong"]["document"]["code"] == "path_outside_root"
    assert seen["cancelled"] == "cancelled"
    assert not seen["reconnected"]
