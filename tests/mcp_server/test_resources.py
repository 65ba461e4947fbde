"""Resources and prompts: what people attach and choose in their client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError

from tests.mcp_server.conftest import PRICES

FILES = "codeintel://repositories/shop/files"


async def test_the_repositories_are_listed(client: Client[Any]) -> None:
    assert [str(r.uri) for r in await client.list_resources()] == ["codeintel://repositories"]
    (read,) = await client.read_resource("codeintel://repositories")
    (repository,) = json.loads(read.text)["repositories"]
    assert repository["name"] == "shop"
    assert repository["snapshots"][0]["branch"] == "main"


async def test_a_file_is_read_by_its_address(client: Client[Any]) -> None:
    (template,) = await client.list_resource_templates()
    assert template.uri_template == "codeintel://repositories/{repo}/files/{path*}"
    (read,) = await client.read_resource(f"{FILES}/prices.py")
    assert read.text == PRICES
    (read,) = await client.read_resource(f"{FILES}/docs/guide.md")
    assert read.text.startswith("# Guide")


@pytest.mark.parametrize(
    "address",
    [
        f"{FILES}/nope.py",
        f"{FILES}/.env",
        f"{FILES}/../../etc/passwd",
        f"{FILES}/%2e%2e/%2e%2e/etc/passwd",
        f"{FILES}//etc/passwd",
        f"{FILES}/cart.py%00",
        "codeintel://repositories/bank/files/cart.py",
        "file:///etc/passwd",
    ],
)
async def test_what_is_not_indexed_cannot_be_read(client: Client[Any], address: str) -> None:
    with pytest.raises(MCPError) as refused:
        await client.read_resource(address)
    assert "hunter2" not in str(refused.value)
    assert "Traceback" not in str(refused.value)


async def test_prompts_name_tools_that_exist(client: Client[Any]) -> None:
    tools = {tool.name for tool in await client.list_tools()}
    prompts = {prompt.name: prompt for prompt in await client.list_prompts()}
    assert set(prompts) == {"explain", "change_impact", "why_so"}
    for name, prompt in prompts.items():
        arguments = {argument.name: "price" for argument in prompt.arguments or ()}
        text = (await client.get_prompt(name, arguments)).messages[0].content.text
        assert "price" in text
        assert any(tool in text for tool in tools)
