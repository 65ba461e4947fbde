"""An indexed repository behind a server, and a client in the same process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.server import create_server

CART = '''"""The cart of a shop."""

from prices import PriceList


def total_price(items, prices):
    """Return what all items cost together."""
    return sum(PriceList.lookup(prices, item) for item in items)
'''
PRICES = '''class PriceList:
    """What things cost."""

    def lookup(self, item):
        """Return the price of one item."""
        return self.entries[item]
'''
GUIDE = "# Guide\n\nCall `total_price` with a PriceList.\n"

Call = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of three committed files, one of them edited since, and its index."""
    root = tmp_path_factory.mktemp("mcp") / "shop"
    root.mkdir()
    (root / "cart.py").write_text(CART)
    (root / "prices.py").write_text(PRICES)
    (root / "docs").mkdir()
    (root / "docs" / "guide.md").write_text(GUIDE)
    (root / ".env").write_text("PASSWORD=hunter2\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "open the shop")
    (root / "cart.py").write_text(CART + "\n\ndef empty(items):\n    items.clear()\n")
    open_index(root, settings=load_settings({})).close()
    return root


def git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


@pytest.fixture
def settings(shop: Path) -> Settings:
    return replace(load_settings({}), data_dir=shop / ".codeintel")


@pytest.fixture
async def context(settings: Settings) -> AsyncIterator[ApplicationContext]:
    context = await ApplicationContext.create(settings)
    yield context
    await context.close()


@pytest.fixture
async def client(context: ApplicationContext) -> AsyncIterator[Client[Any]]:
    server = create_server(context, lambda: Caller(session="stdio"), "test")
    async with Client(server) as client:
        yield client


@pytest.fixture
def call(client: Client[Any]) -> Call:
    """Call a tool and return its document, or the document of its error."""

    async def call(tool: str, **arguments: Any) -> Any:
        result = await client.call_tool(tool, arguments, raise_on_error=False)
        document = json.loads(result.content[0].text)
        assert result.is_error or result.structured_content == document
        return document

    return call
