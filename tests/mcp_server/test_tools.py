"""Every tool, asked as an agent would ask it."""

from __future__ import annotations

from typing import Any

import pytest
from fastmcp import Client

from tests.mcp_server.conftest import CART, PRICES, Call


async def test_a_client_learns_what_each_tool_is_for(client: Client[Any]) -> None:
    tools = await client.list_tools()
    for tool in tools:
        assert tool.description is not None
        assert len(tool.description) > 60, tool.name
        assert tool.output_schema is not None, tool.name
        assert tool.annotations is not None, tool.name
        assert tool.annotations.read_only_hint is (tool.name != "set_scope")
        assert "session" in tool.input_schema["properties"]
        assert tool.input_schema["additionalProperties"] is False


async def test_search_returns_code_with_its_place(call: Call) -> None:
    found = await call("semantic_search", query="what do all items cost", limit=2)
    assert found["hits"][0]["uri"] == "cart.py"
    assert "total_price" in found["hits"][0]["content"]
    assert isinstance(found["hits"][0]["id"], str)
    assert found["limits"] == []


async def test_an_answer_cites_what_it_says(call: Call) -> None:
    answer = await call("answer_query", query="How is the total price computed?")
    assert "cart.py:" in answer["answer"]
    assert answer["citations"][0]["uri"] == "cart.py"
    assert answer["plan"]["synthesizer"] == "extractive"


async def test_every_search_takes_a_scope_beside_its_own_restrictions(call: Call) -> None:
    docs = {"include_globs": ["docs/**", "*.md"]}
    found = await call("search_text", query="total_price", scope=docs)
    assert {match["path"] for match in found["matches"]} == {"docs/guide.md"}
    both = await call("search_text", query="total_price", scope=docs, include_globs=["*.py"])
    assert both["matches"] == []
    named = await call("symbol_search", query="total_price", scope={"languages": ["python"]})
    assert [symbol["path"] for symbol in named["symbols"]] == ["cart.py"]
    none = await call("symbol_search", query="total_price", language="python", scope=docs)
    assert none["symbols"] == []


async def test_a_scope_holds_for_the_calls_that_name_its_session(call: Call) -> None:
    done = await call("set_scope", scope={"languages": ["md"]}, session="mine")
    assert done == {
        "effective_scope": {"languages": ["md"]},
        "session_id": "mine",
        "status": "set",
    }
    within = await call("semantic_search", query="price list", session="mine")
    assert {hit["uri"] for hit in within["hits"]} == {"docs/guide.md"}
    assert (await call("list_paths", session="mine"))["total"] == 1
    assert (await call("open_file", path="cart.py", session="mine"))["code"] == "not_found"
    outside = await call("semantic_search", query="price list")
    assert "prices.py" in {hit["uri"] for hit in outside["hits"]}
    await call("set_scope", scope={}, session="mine")
    assert (await call("list_paths", session="mine"))["total"] == 3


async def test_a_scope_of_a_call_narrows_that_of_the_session(call: Call) -> None:
    await call("set_scope", scope={"include_globs": ["*.py"]}, session="narrow")
    found = await call(
        "semantic_search",
        query="price",
        scope={"include_globs": ["cart.*", "docs"]},
        session="narrow",
    )
    assert {hit["uri"] for hit in found["hits"]} == {"cart.py"}
    nothing = await call(
        "semantic_search", query="price", scope={"languages": ["go"]}, session="narrow"
    )
    assert (nothing["hits"], nothing["limits"]) == ([], ["scope_empty"])


async def test_files_are_listed_in_order_and_cut_visibly(call: Call) -> None:
    listed = await call("list_paths")
    assert [item["path"] for item in listed["items"]] == ["cart.py", "docs/guide.md", "prices.py"]
    assert listed["items"][2]["size"] == len(PRICES)
    cut = await call("list_paths", max_results=1, include_globs=["*.py"])
    assert (len(cut["items"]), cut["total"], cut["truncated"]) == (1, 2, True)
    assert (await call("list_paths", path="docs/"))["total"] == 1
    assert (await call("list_paths", path="nowhere"))["code"] == "not_found"


async def test_a_file_is_opened_whole_or_in_part(call: Call) -> None:
    whole = await call("open_file", path="./cart.py")
    assert whole["content"].startswith(CART)
    assert (whole["start_line"], whole["end_line"], whole["truncated"]) == (1, 12, False)
    part = await call("open_file", path="cart.py", start_line=6, end_line=7)
    assert part["content"].startswith("def total_price")
    assert (part["lines"], part["end_line"]) == (12, 7)
    beyond = await call("open_file", path="cart.py", start_line=99)
    assert (beyond["code"], "12 lines" in beyond["message"]) == ("invalid_argument", True)


async def test_names_are_followed(call: Call) -> None:
    found = await call("symbol_search", query="pricelist")
    assert [(s["qualname"], s["line"]) for s in found["symbols"]] == [
        ("PriceList", 1),
        ("PriceList.lookup", 4),
    ]
    found = await call("symbol_search", query="PriceList::lookup()", kind="method")
    assert found["total"] == 1
    defined = await call("definition_at", path="cart.py", line=8, character=16)
    assert [(at["path"], at["line"]) for at in defined["locations"]] == [("prices.py", 1)]
    used = await call("references_at", path="prices.py", line=1, character=7)
    assert [(at["path"], at["line"], at["column"]) for at in used["locations"]] == [
        ("cart.py", 3, 20),
        ("cart.py", 8, 16),
        ("docs/guide.md", 3, 27),
        ("prices.py", 1, 7),
    ]
    assert (await call("definition_at", path="cart.py", line=2, character=1))["code"] == "not_found"


async def test_blame_tells_commits_and_what_is_not_committed(call: Call) -> None:
    blamed = (await call("blame_range", path="cart.py", start_line=8, end_line=12))["blame"]
    assert [line["line"] for line in blamed] == [8, 9, 10, 11, 12]
    assert (blamed[0]["author"], blamed[0]["message"]) == ("Ann", "open the shop")
    assert (blamed[4]["commit"], blamed[4]["date"]) == (None, None)


async def test_the_history_of_a_file_is_listed(call: Call) -> None:
    (commit,) = (await call("file_history", path="docs/guide.md"))["commits"]
    assert (commit["author"], commit["email"]) == ("Ann", "ann@example.org")
    assert commit["full_sha"].startswith(commit["sha"])


BAD_CALLS = [
    ("semantic_search", {"query": " "}, "invalid_argument"),
    ("semantic_search", {"query": "x" * 40_000}, "query_too_long"),
    ("semantic_search", {"query": "a\x00b"}, "invalid_argument"),
    ("semantic_search", {"query": "x", "limit": 10**9}, "invalid_argument"),
    ("semantic_search", {"query": "x", "limit": "many"}, "invalid_argument"),
    ("semantic_search", {"query": "x", "scope": {"language": ["go"]}}, "invalid_argument"),
    ("semantic_search", {"query": "x", "scope": {"languages": ["klingon"]}}, "unknown_language"),
    ("semantic_search", {"query": "x", "scope": {"include_globs": ["a[" * 600]}}, "bad_glob"),
    ("semantic_search", {"query": "x", "scope": {"repos": ["other"]}}, "not_found"),
    ("semantic_search", {"query": "x", "session": "../x"}, "invalid_argument"),
    ("semantic_search", {"query": "x", "bogus": 1}, "invalid_argument"),
    ("semantic_search", {}, "invalid_argument"),
    ("answer_query", {"query": "x" * 501}, "query_too_long"),
    ("set_scope", {"scope": {"languages": ["klingon"]}}, "unknown_language"),
    ("set_scope", {"scope": []}, "invalid_argument"),
    ("open_file", {"path": "../shop/cart.py"}, "path_outside_root"),
    ("open_file", {"path": "/etc/passwd"}, "path_outside_root"),
    ("open_file", {"path": "docs/../../x"}, "path_outside_root"),
    ("open_file", {"path": "C:\\x"}, "path_outside_root"),
    ("open_file", {"path": ".env"}, "not_found"),
    ("open_file", {"path": ".git/config"}, "not_found"),
    ("open_file", {"path": "cart.py\x00.md"}, "invalid_argument"),
    ("open_file", {"path": "cart.py", "start_line": 5, "end_line": 4}, "invalid_argument"),
    ("open_file", {"path": "cart.py", "repo": "--help"}, "not_found"),
    ("open_file", {"path": "cart.py", "ref": "--output=/tmp/x"}, "not_found"),
    ("blame_range", {"path": "--help", "start_line": 1, "end_line": 1}, "not_found"),
    ("blame_range", {"path": "cart.py", "start_line": 1, "end_line": 10**9}, "invalid_argument"),
    ("file_history", {"path": ":(top)cart.py"}, "path_outside_root"),
    ("definition_at", {"path": "cart.py", "line": 10**6, "character": 1}, "invalid_argument"),
    ("symbol_search", {"query": "()"}, "invalid_argument"),
    ("no_such_tool", {}, "not_found"),
]


@pytest.mark.parametrize(("tool", "arguments", "code"), BAD_CALLS)
async def test_a_bad_call_is_refused_in_words_that_help(
    call: Call, tool: str, arguments: dict[str, Any], code: str
) -> None:
    refused = await call(tool, **arguments)
    assert set(refused) == {"code", "message", "hint"}
    assert refused["code"] == code
    assert refused["hint"]
    assert "Traceback" not in refused["message"]
    assert len(refused["message"]) < 500
