"""Telling agents about an index, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.app.agent_clients import CLIENTS, AgentClient, edited
from codeintel_rev.app.agent_setup import Change, own_command
from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run
from codeintel_rev.errors import StorageFailed

Capture = pytest.CaptureFixture[str]
Install = Callable[..., int]

every_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, of somebody without any agent."""
    (tmp_path / "home").mkdir()
    (tmp_path / "shop").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "home"))
    return tmp_path / "shop"


@pytest.fixture
def install(project: Path) -> Install:
    return lambda *arguments: run(["install", *arguments, "--repo", str(project)])


def entry_in(project: Path, client: AgentClient) -> dict[str, Any]:
    tree = json.loads((project / client.file).read_text())
    entry: dict[str, Any] = tree[client.servers_key]["codeintel"]
    return entry


@every_client
def test_an_entry_is_written_and_taken_back(
    project: Path, install: Install, client: AgentClient, capsys: Capture
) -> None:
    assert install(client.name, "--yes") == exit_codes.DONE
    entry = entry_in(project, client)
    line = entry["command"] if client.is_one_list else [entry["command"], *entry["args"]]
    assert line[:2] == [own_command(), "mcp"]
    assert str(project) not in json.dumps(line[2:])
    written = (project / client.file).read_text()
    assert install(client.name, "--yes") == exit_codes.DONE
    assert "nothing to change" in capsys.readouterr().out
    assert (project / client.file).read_text() == written
    assert install(client.name, "--undo", "--yes") == exit_codes.DONE
    assert not (project / client.file).exists()


@every_client
def test_what_others_wrote_stays(client: AgentClient) -> None:
    other = {"command": "other", "args": ["ü"]}
    before = json.dumps({"inputs": [1], client.servers_key: {"other": other}}, indent="\t")
    after = edited(before, client, client.entry("codeintel", []))
    assert after is not None
    assert json.loads(after)["inputs"] == [1]
    assert json.loads(after)[client.servers_key]["other"] == other
    assert "\n\t" in after
    back = edited(after, client, None)
    assert back is not None
    assert json.loads(back) == json.loads(before)


def test_a_server_elsewhere_is_named_by_its_address(project: Path, install: Install) -> None:
    names = [client.name for client in CLIENTS]
    assert install(*names, "--url", "https://x/mcp", "--yes") == exit_codes.DONE
    for client in CLIENTS:
        assert entry_in(project, client) == {**dict(client.reached), "url": "https://x/mcp"}
    assert install("cursor", "--url", "file:///etc", "--yes") == exit_codes.USAGE


def test_agents_that_are_used_are_found(project: Path, install: Install, capsys: Capture) -> None:
    assert install("--yes") == exit_codes.BAD_INPUT
    assert "no agent was found" in capsys.readouterr().err
    (project.parent / "home" / ".cursor").mkdir()
    (project / ".mcp.json").write_text("")
    assert install("--yes") == exit_codes.DONE
    assert "command" in entry_in(project, CLIENTS[0])
    assert "command" in entry_in(project, CLIENTS[1])
    assert not (project / ".vscode").exists()


def test_nothing_is_written_unless_it_is_wanted(
    project: Path, install: Install, capsys: Capture
) -> None:
    assert install("cursor") == exit_codes.DONE
    told = capsys.readouterr()
    assert '+    "codeintel": {' in told.out
    assert "nothing was written" in told.err
    assert install("cursor", "--json") == exit_codes.DONE
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["client"], change["written"]) == ("cursor", False)
    assert change["diff"].startswith("--- /dev/null\n+++ .cursor/mcp.json\n")
    assert not (project / ".cursor").exists()
    assert install("cursor", "--json", "--yes") == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["changes"][0]["written"]


@pytest.mark.parametrize(
    "text",
    [
        "// for the team\n{}",
        '{"mcpServers": {},}',
        "[]",
        '{"mcpServers": []}',
        '{"mcpServers": {}, "mcpServers": {"other": {}}}',
        "[" * 100_000,
        "\udcff",
    ],
    ids=["comment", "comma", "list", "servers", "twice", "deep", "bytes"],
)
def test_a_file_that_would_lose_something_is_left_alone(
    project: Path, install: Install, text: str, capsys: Capture
) -> None:
    file = project / ".mcp.json"
    file.write_text(text, errors="surrogateescape")
    before = file.read_bytes()
    assert install("claude-code", "--yes") == exit_codes.BAD_INPUT
    assert len(capsys.readouterr().err) < 1000
    assert file.read_bytes() == before


def test_a_link_is_not_followed(project: Path, install: Install) -> None:
    target = project.parent / "home" / "settings.json"
    target.write_text("{}")
    (project / ".mcp.json").symlink_to(target)
    (project / ".vscode").symlink_to(project.parent / "home")
    assert install("claude-code", "--yes") == exit_codes.BAD_INPUT
    assert install("vscode", "--yes") == exit_codes.BAD_INPUT
    assert target.read_text() == "{}"
    assert not (project.parent / "home" / "mcp.json").exists()


def test_an_unknown_agent_is_told(install: Install, capsys: Capture) -> None:
    assert install("emacs") == exit_codes.BAD_INPUT
    assert "claude-code, cursor, vscode, gemini, opencode" in capsys.readouterr().err


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.mkdir()
    with pytest.raises(StorageFailed, match="cannot be written"):
        Change(CLIENTS[0], file, None, None, "{}").apply()
    assert [*tmp_path.iterdir()] == [file]
