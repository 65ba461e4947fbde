"""The agents whose configuration can be written, and what is written there (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from codeintel_rev.errors import InvalidArgument

ENTRY: Final = "codeintel"
"""The name of the server in an agent's configuration."""

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AgentClient:
    """One agent, and how its configuration of a project looks."""

    name: str
    title: str
    file: str
    """Relative to the project."""
    servers_key: Literal["mcp", "mcpServers", "servers"]
    project: str
    """What the agent puts in place of the project's folder; empty = it starts servers there."""
    programs: tuple[str, ...]
    traces: tuple[str, ...]
    """Folders and files in a home directory that tell that it is used."""
    started: tuple[tuple[str, Any], ...] = (("type", "stdio"),)
    """What else the entry of a server says that the agent starts."""
    reached: tuple[tuple[str, Any], ...] = (("type", "http"),)
    """What else that of a server says that runs elsewhere."""
    is_one_list: bool = False
    """Whether a command and its arguments are one list."""

    def entry(self, command: str, arguments: Sequence[str]) -> Entry:
        """Return the entry that starts ``command mcp`` for the project."""
        repo = ["--repo", self.project] if self.project else []
        words = ["mcp", *repo, *arguments]
        if self.is_one_list:
            return {**dict(self.started), "command": [command, *words]}
        return {**dict(self.started), "command": command, "args": words}

    def entry_of_url(self, url: str) -> Entry:
        """Return the entry for a server that runs elsewhere."""
        return dict(self.reached) | {"url": url}


CLIENTS: Final = (
    AgentClient(
        name="claude-code",
        title="Claude Code",
        file=".mcp.json",
        servers_key="mcpServers",
        project="",
        programs=("claude",),
        traces=(".claude", ".claude.json"),
    ),
    AgentClient(
        name="cursor",
        title="Cursor",
        file=".cursor/mcp.json",
        servers_key="mcpServers",
        project="${workspaceFolder}",
        programs=("cursor", "cursor-agent"),
        traces=(".cursor",),
        started=(),
        reached=(),
    ),
    AgentClient(
        name="vscode",
        title="VS Code",
        file=".vscode/mcp.json",
        servers_key="servers",
        project="${workspaceFolder}",
        programs=("code", "code-insiders", "codium"),
        traces=(".vscode", ".vscode-server", ".config/Code"),
    ),
    AgentClient(
        name="gemini",
        title="Gemini CLI",
        file=".gemini/settings.json",
        servers_key="mcpServers",
        project="",
        programs=("gemini",),
        traces=(".gemini",),
        started=(),
    ),
    AgentClient(
        name="opencode",
        title="OpenCode",
        file="opencode.json",
        servers_key="mcp",
        project="",
        programs=("opencode",),
        traces=(".config/opencode",),
        started=(("type", "local"), ("enabled", True)),
        reached=(("type", "remote"), ("enabled", True)),
        is_one_list=True,
    ),
)


def edited(text: str | None, client: AgentClient, entry: Entry | None) -> str | None:
    """Return a configuration file with our entry put in, or taken out where ``entry`` is ``None``.

    Everything else in it stays. ``None`` stands for a file that is not there, or holds nothing any
    more. Raises ``InvalidArgument`` for a file that cannot be changed without losing something.
    """
    tree = {} if text is None else _read(text, client)
    servers = tree.get(client.servers_key, {})
    if entry is None:
        if ENTRY not in servers:
            return text
        del servers[ENTRY]
        if not servers:
            del tree[client.servers_key]
        return _written(tree, text) if tree else None
    if servers.get(ENTRY) == entry:
        return text
    tree[client.servers_key] = {**servers, ENTRY: entry}
    return _written(tree, text)


def _read(text: str, client: AgentClient) -> dict[str, Any]:
    try:
        tree = json.loads(text, object_pairs_hook=_once) if text.strip() else {}
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict) or not isinstance(tree.get(client.servers_key, {}), dict):
        raise InvalidArgument(
            f"{client.file} is no plain JSON object, or has comments that would be lost",
            hint=f"add the entry by hand under {client.servers_key!r}; --json shows it",
            value=client.file,
        )
    return tree


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _written(tree: dict[str, Any], before: str | None) -> str:
    """Return the file's new text, indented as it was."""
    indent = re.search(r"\n([ \t]+)\S", before or "")
    text = json.dumps(tree, indent=indent[1] if indent else 2, ensure_ascii=False)
    return f"{text}\n"
