"""The protocol's own conformance checks, those that need no tool of the reference server."""

from __future__ import annotations

import subprocess

import pytest

from tests.clients.conftest import CLIENTS

pytestmark = pytest.mark.clients


@pytest.mark.parametrize(
    "scenario",
    [
        "server-initialize",
        "logging-set-level",
        "ping",
        "tools-list",
        "resources-list",
        "prompts-list",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
    ],
)
def test_the_server_conforms(served_by_two: str, scenario: str) -> None:
    ran = subprocess.run(
        [
            str(CLIENTS / "node_modules" / ".bin" / "conformance"),
            *("server", "--url", served_by_two, "--scenario", scenario),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=CLIENTS,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-4000:]
