"""A server that answers before all of it is loaded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from mcp.shared.exceptions import MCPError

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.loaded_later import LoadedLater
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import SettingsError
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import ServerContext
from codeintel_rev.mcp_server.resources import REPOSITORIES
from codeintel_rev.mcp_server.server import create_server


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    shop = tmp_path_factory.mktemp("later") / "shop"
    shop.mkdir()
    (shop / "price.py").write_text("def total_price(items):\n    return sum(items)\n")
    open_index(shop, settings=load_settings({})).close()
    return replace(load_settings({}), data_dir=shop / ".codeintel")


def server_of(
    settings: Settings, load: Callable[[], Coroutine[Any, Any, ServerContext]]
) -> FastMCP[Any]:
    later = LoadedLater(settings, load)
    server = create_server(later, lambda: Caller(session="stdio"), "test")
    server.add_middleware(later)
    return server


async def test_tools_are_told_at_once_and_called_when_all_is_there(settings: Settings) -> None:
    go_on = asyncio.Event()
    opened: list[ApplicationContext] = []

    async def load() -> ServerContext:
        await go_on.wait()
        opened.append(await ApplicationContext.create(settings))
        return opened[0]

    async with Client(server_of(settings, load)) as client:
        assert "semantic_search" in {tool.name for tool in await client.list_tools()}
        calls = [
            asyncio.create_task(client.call_tool("semantic_search", {"query": "total price"}))
            for _ in range(3)
        ]
        await asyncio.sleep(0)
        go_on.set()
        for called in calls:
            result = await called
            assert result.structured_content is not None
            assert result.structured_content["hits"][0]["uri"] == "price.py"
        assert "shop" in str(await client.read_resource(REPOSITORIES))
    (context,) = opened
    await context.close()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SettingsError("the index is of another model", hint="index anew"), "another model"),
        (LookupError("of the inner life"), "the server could not be loaded"),
    ],
    ids=["ours", "a fault"],
)
async def test_what_cannot_be_loaded_is_told_by_every_call(
    settings: Settings, error: Exception, message: str
) -> None:
    async def load() -> ServerContext:
        raise error

    async with Client(server_of(settings, load)) as client:
        for _ in range(2):
            result = await client.call_tool("semantic_search", {"query": "a"}, raise_on_error=False)
            assert result.is_error
            told = json.loads(result.content[0].text)  # type: ignore[union-attr]
            assert message in told["message"]
        with pytest.raises(MCPError, match=message):
            await client.read_resource(REPOSITORIES)
