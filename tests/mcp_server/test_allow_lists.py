"""Who may see one repository of two sees what they would see if there were no other.

Every tool and resource is asked by somebody who sees all, which fills every cache, and then by
somebody who may not; their replies are compared with those of an index that never held the other
repository.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.server import create_server
from tests.mcp_server.conftest import git

SHOP = "def total_price(items):\n    return sum(items)\n\n\ndef ledger(items):\n    return items\n"
BANK = (
    "def total_zanzibar(accounts):\n    return ledger(accounts)\n\n\n"
    "def ledger(accounts):\n    return accounts\n"
)

AT_BANK = {"path": "vault.py", "line": 1, "repo": "bank"}
IN_BANK = {"scope": {"repos": ["bank"]}}

CALLS: dict[str, list[dict[str, Any]]] = {
    "set_scope": [IN_BANK],
    "semantic_search": [
        {"query": "total of accounts"},
        {"query": "vault.py:1"},
        {"query": "ledger"},
        {"query": "bank"},
        {"query": "total", **IN_BANK},
    ],
    "answer_query": [
        {"query": "How is the total of accounts computed?"},
        {"query": "What is ledger?"},
        {"query": "What is ledger?", **IN_BANK},
    ],
    "search_text": [
        {"query": "accounts"},
        {"query": "return"},
        {"query": "(?i)ACCOUNTS", "regex": True},
        {"query": "return", "paths": ["vault.py"]},
        {"query": "return", "repo": "bank"},
    ],
    "find_related": [{"path": "shop.py", "line": 1}, AT_BANK, {"path": "vault.py", "line": 1}],
    "list_paths": [{}, {"include_globs": ["*.py"]}, {"path": "vault.py"}, {"repo": "bank"}],
    "open_file": [{"path": "vault.py"}, {"path": "vault.py", "repo": "bank"}],
    "symbol_search": [{"query": "total"}, {"query": "ledger"}, {"query": "total", "repo": "bank"}],
    "definition_at": [{"path": "shop.py", "line": 5, "character": 6}, AT_BANK | {"character": 6}],
    "references_at": [{"path": "shop.py", "line": 5, "character": 6}, AT_BANK | {"character": 6}],
    "blame_range": [
        {"path": "vault.py", "start_line": 1, "end_line": 2},
        {"path": "vault.py", "start_line": 1, "end_line": 2, "repo": "bank"},
    ],
    "file_history": [{"path": "vault.py"}, {"path": "vault.py", "repo": "bank"}],
}
ADDRESSES = [
    "codeintel://repositories",
    "codeintel://repositories/bank/files/vault.py",
    "codeintel://repositories/shop/files/vault.py",
]
OWN_TO_A_CALL = {"took_ms", "trace_id", "session_id"}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The repositories ``shop`` and ``bank``, which share a name and a word."""
    folder = tmp_path_factory.mktemp("allowed")
    found = []
    for name, file, text in (("shop", "shop.py", SHOP), ("bank", "vault.py", BANK)):
        root = folder / name
        root.mkdir()
        (root / file).write_text(text)
        git(root, "init", "-q", "-b", "main")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", f"open the {name}")
        found.append(root)
    return found[0], found[1]


class Asker:
    """Somebody with a client."""

    def __init__(self, client: Client[Any]) -> None:
        self._client = client

    async def tools(self) -> set[str]:
        return {tool.name for tool in await self._client.list_tools()}

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        result = await self._client.call_tool(tool, arguments, raise_on_error=False)
        return without_own(json.loads(result.content[0].text))

    async def read(self, address: str) -> str:
        try:
            return str((await self._client.read_resource(address))[0].text)
        except MCPError as error:
            return str(error)


def without_own(document: Any) -> Any:
    """A document without what differs from call to call."""
    if isinstance(document, dict):
        return {k: without_own(v) for k, v in document.items() if k not in OWN_TO_A_CALL}
    if isinstance(document, list):
        return [without_own(each) for each in document]
    return document


@pytest.fixture
async def askers(
    roots: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Asker]]:
    """``root`` sees all of an index of both, ``ann`` the shop in it, ``lone`` an index of the shop."""
    shop, bank = roots
    both, alone = shop.parent / "both", shop.parent / "alone"
    for data_dir, held in ((both, [shop, bank]), (alone, [shop])):
        if not data_dir.exists():
            index_repositories(held, data_dir=data_dir, settings=settings_of(data_dir))
    async with AsyncExitStack() as stack:

        async def serve(data_dir: Path, **callers: Caller) -> dict[str, Asker]:
            context = await ApplicationContext.create(settings_of(data_dir))
            stack.push_async_callback(context.close)
            return {
                name: Asker(
                    await stack.enter_async_context(
                        Client(create_server(context, lambda who=who: who, "test"))
                    )
                )
                for name, who in callers.items()
            }

        ann = Caller("ann", frozenset({"shop"}))
        yield await serve(both, root=Caller("root"), ann=ann) | await serve(alone, lone=ann)


def settings_of(data_dir: Path) -> Settings:
    return replace(load_settings({"TRACE_ENABLED": "false"}), data_dir=data_dir)


async def test_every_tool_is_tried(askers: dict[str, Asker]) -> None:
    assert await askers["root"].tools() == set(CALLS)


@pytest.mark.parametrize("tool", CALLS)
async def test_another_repository_leaves_no_sign(askers: dict[str, Asker], tool: str) -> None:
    for arguments in CALLS[tool]:
        everything = await askers["root"].call(tool, arguments)
        seen = await askers["ann"].call(tool, arguments)
        assert seen == await askers["lone"].call(tool, arguments)
        assert "zanzibar" not in json.dumps(seen)
        assert everything == await askers["root"].call(tool, arguments), "nor does ann limit root"


async def test_what_is_hidden_is_there_for_others(askers: dict[str, Asker]) -> None:
    for tool, arguments in (
        ("semantic_search", {"query": "total of accounts"}),
        ("answer_query", {"query": "How is the total of accounts computed?"}),
        ("open_file", {"path": "vault.py"}),
        ("symbol_search", {"query": "total"}),
    ):
        assert "zanzibar" in json.dumps(await askers["root"].call(tool, arguments)), tool


@pytest.mark.parametrize("address", ADDRESSES)
async def test_resources_hide_it_too(askers: dict[str, Asker], address: str) -> None:
    everything = await askers["root"].read(address)
    seen = await askers["ann"].read(address)
    assert "bank" in everything or "zanzibar" in everything or "shop/files" in address
    assert seen == await askers["lone"].read(address)


async def test_a_session_of_another_is_unknown(askers: dict[str, Asker]) -> None:
    await askers["root"].call("set_scope", {"scope": {"repos": ["bank"]}, "session": "mine"})
    found = await askers["ann"].call("semantic_search", {"query": "total", "session": "mine"})
    assert {hit["repo"] for hit in found["hits"]} == {"shop"}
    still = await askers["root"].call("semantic_search", {"query": "total", "session": "mine"})
    assert {hit["repo"] for hit in still["hits"]} == {"bank"}
