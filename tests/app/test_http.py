"""The HTTP API, asked in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from codeintel_rev.app.auth import new_entry, new_token
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.main import create_app
from codeintel_rev.app.problems import STATUS
from codeintel_rev.config.settings import ServerConfig, Settings, load_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

Open = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two repositories, ``shop`` and ``bank``."""
    folder = tmp_path_factory.mktemp("http")
    for name, text in (
        ("shop", "def total_price(items):\n    return sum(items)\n"),
        ("bank", "def total_balance(accounts):\n    return sum(accounts)\n"),
    ):
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(text)
    index_repositories(
        [folder / "shop", folder / "bank"], data_dir=folder / "dd", settings=load_settings({})
    )
    return folder / "dd"


@pytest.fixture(scope="module")
def opened(data_dir: Path) -> Open:
    """Open a client of an application with some settings of the server."""

    @asynccontextmanager
    async def client(raise_faults: bool = True, **server: Any) -> AsyncIterator[httpx2.AsyncClient]:
        settings = replace(load_settings({}), data_dir=data_dir, server=ServerConfig(**server))
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            transport = httpx2.ASGITransport(app, raise_app_exceptions=raise_faults)
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                yield client

    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(opened: Open) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with default settings, which one task opens and closes."""
    ready: asyncio.Future[httpx2.AsyncClient] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def keep_open() -> None:
        async with opened() as client:
            ready.set_result(client)
            await over.wait()

    keeper = asyncio.create_task(keep_open())
    yield await ready
    over.set()
    await keeper


def tokens_file(folder: Path, **repos: list[str] | None) -> tuple[Path, dict[str, dict[str, str]]]:
    """A tokens file, and the header of each holder."""
    tokens = {name: new_token() for name in repos}
    file = folder / "tokens.toml"
    file.write_text("\n\n".join(new_entry(name, tokens[name], repos[name]) for name in repos))
    return file, {n: {"Authorization": f"Bearer {token}"} for n, token in tokens.items()}


# --- what is asked -------------------------------------------------------------------------------


async def test_search_answers_with_the_document_of_the_contract(client: httpx2.AsyncClient) -> None:
    found = await client.post("/v1/search", json={"query": "total price", "limit": 1})
    document = found.json()
    assert found.status_code == 200
    assert set(document) == {"query", "hits", "limits", "took_ms"}
    assert document["hits"][0]["uri"] == "shop.py"
    assert document["hits"][0]["id"].isdecimal()


async def test_a_search_keeps_to_its_time_budget(client: httpx2.AsyncClient) -> None:
    in_time = await client.post("/v1/search", json={"query": "total", "time_budget_ms": 60_000})
    assert in_time.status_code == 200
    late = await client.post("/v1/search", json={"query": "total", "time_budget_ms": 0.001})
    assert (late.status_code, late.json()["code"]) == (504, "deadline")


async def test_an_answer_is_one_document_or_events(client: httpx2.AsyncClient) -> None:
    question = {"query": "How is the total price computed?"}
    envelope = (await client.post("/v1/answers", json=question)).json()
    assert "shop.py:" in envelope["answer"]
    streamed = await client.post(
        "/v1/answers", json=question, headers={"Accept": "text/event-stream"}
    )
    events = [
        dict(line.split(": ", 1) for line in event.split("\n"))
        for event in streamed.text.strip().split("\n\n")
    ]
    assert [event["id"] for event in events] == [str(n + 1) for n in range(len(events))]
    assert events[-1]["event"] == "envelope"
    told = "".join(json.loads(e["data"])["content"] for e in events if e["event"] == "token")
    assert told == json.loads(events[-1]["data"])["answer"]
    assert {event["event"] for event in events} >= {"token", "citation", "trace", "envelope"}
    assert (await client.post("/answer_query", json=question)).json()["citations"]


async def test_a_question_that_cannot_be_asked_is_no_stream(client: httpx2.AsyncClient) -> None:
    refused = await client.post(
        "/v1/answers", json={"query": "x" * 501}, headers={"Accept": "text/event-stream"}
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "query_too_long")


async def test_files_are_listed_opened_and_known_by_their_tag(client: httpx2.AsyncClient) -> None:
    listed = (await client.get("/v1/files", params={"repo": "shop"})).json()
    assert [item["path"] for item in listed["items"]] == ["shop.py"]
    first = await client.get("/v1/files/shop.py", params={"start_line": 2})
    assert first.json()["content"] == "    return sum(items)\n"
    again = await client.get(
        "/v1/files/shop.py",
        params={"start_line": 2},
        headers={"If-None-Match": first.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_a_session_keeps_its_scope_until_it_is_lifted(client: httpx2.AsyncClient) -> None:
    session = {"X-Session-ID": "mine"}
    put = await client.put("/v1/scope", json={"repos": ["bank"]}, headers=session)
    assert put.json()["session_id"] == "mine"
    found = await client.post("/v1/search", json={"query": "total"}, headers=session)
    assert {hit["repo"] for hit in found.json()["hits"]} == {"bank"}
    got = await client.get("/v1/scope", headers=session)
    assert got.json()["effective_scope"] == {"repos": ["bank"]}
    assert (await client.delete("/v1/scope", headers=session)).status_code == 204
    assert (await client.get("/v1/scope", headers=session)).json()["status"] == "unset"
    handle = (await client.put("/v1/scope", json={})).json()["session_id"]
    assert len(handle) > 20
    assert (await client.get("/v1/scope")).status_code == 400


async def test_text_and_symbols_are_found(client: httpx2.AsyncClient) -> None:
    found = await client.post("/v1/text", json={"query": "return sum", "paths": ["shop.py"]})
    assert [(m["path"], m["line"], m["column"]) for m in found.json()["matches"]] == [
        ("shop.py", 2, 5)
    ]
    found = await client.get("/v1/symbols", params={"query": "total_b"})
    assert [symbol["name"] for symbol in found.json()["symbols"]] == ["total_balance"]


async def test_large_answers_are_compressed_for_who_asks(client: httpx2.AsyncClient) -> None:
    found = await client.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert found.headers["content-encoding"] == "gzip"
    assert "/v1/search" in found.json()["paths"]


async def test_probes_tell_life_and_readiness(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).json()["status"] == "ok"
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert (ready.json()["ready"], ready.json()["mode"]) == (True, "ready")


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_argument"),
        (b"{", "invalid_argument"),
        (b"[]", "invalid_argument"),
        (b"\xff\xfe", "invalid_argument"),
        (b'{"query": 1}', "invalid_argument"),
        (b'{"query": "x", "limit": 1e99}', "invalid_argument"),
        (b'{"query": "x", "explain": 0}', "invalid_argument"),
        (b'{"query": "x", "surprise": 1}', "invalid_argument"),
        (b'{"query": "x", "scope": {"surprise": []}}', "invalid_argument"),
        (b'{"query": "x", "scope": {"languages": ["klingon"]}}', "unknown_language"),
        (b'{"query": "x", "scope": {"repos": ["nowhere"]}}', "not_found"),
        (b'{"query": "\\u0000"}', "invalid_argument"),
        (b'{"query": "\\ud800"}', "invalid_argument"),
        (b'{"query": "' + b"x" * 33_000 + b'"}', "query_too_long"),
    ],
)
async def test_a_bad_body_is_told_in_a_problem_document(
    client: httpx2.AsyncClient, body: bytes, code: str
) -> None:
    refused = await client.post(
        "/v1/search", content=body, headers={"Content-Type": "application/json"}
    )
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert problem["status"] == refused.status_code == STATUS[code]
    assert problem["request_id"] == refused.headers["x-request-id"]
    assert problem["hint"]
    assert len(refused.content) < 2000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"method": "initialize", "params": ' + b"[" * 100_000,
        b'{"jsonrpc": "2.0", "id": 1, "method": "initialize"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 5}}',
        b'{"jsonrpc": "2.0", "id": {}, "method": "no/such/method", "params": []}',
    ],
)
async def test_bad_messages_to_the_tools_are_refused(
    client: httpx2.AsyncClient, body: bytes
) -> None:
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    refused = await client.post("/mcp", content=body, headers=headers)
    assert refused.status_code < 500
    assert "Traceback" not in refused.text
    assert "error" in refused.text


async def test_a_request_id_of_the_caller_is_kept_when_it_is_one(
    client: httpx2.AsyncClient,
) -> None:
    kept = await client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    made = await client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    assert len(made.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("path", ["/mcp", "/v1/search"])
async def test_pages_of_other_origins_and_names_are_refused(
    client: httpx2.AsyncClient, headers: dict[str, str], path: str
) -> None:
    refused = await client.post(path, json={}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/scope", "DELETE, GET, PUT"), ("/v1/search", "POST"), ("/mcp", "POST")],
)
async def test_a_method_that_a_path_has_not_is_told_those_that_it_has(
    client: httpx2.AsyncClient, path: str, allowed: str
) -> None:
    refused = await client.patch(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


async def test_an_origin_that_is_allowed_may_call(opened: Open) -> None:
    async with opened(allowed_origins="https://tools.example") as client:
        headers = {"Origin": "https://tools.example"}
        found = await client.post("/v1/search", json={"query": "x"}, headers=headers)
        assert found.headers["access-control-allow-origin"] == "https://tools.example"


async def test_a_large_body_is_refused(opened: Open) -> None:
    async with opened(max_body_bytes=1000) as client:
        refused = await client.post("/v1/search", content=b"x" * 2000)
        assert (refused.status_code, refused.headers["connection"]) == (413, "close")

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 100

        assert (await client.post("/v1/search", content=endless())).status_code == 413
        lying = await client.post("/v1/search", content=b"x", headers={"Content-Length": "9" * 400})
        assert lying.status_code == 413


async def test_a_fault_of_the_server_says_no_more(opened: Open, data_dir: Path) -> None:
    async with opened(raise_faults=False) as client:
        transport = client._transport
        assert isinstance(transport, httpx2.ASGITransport)
        transport.app.state.probe = None  # type: ignore[attr-defined]
        broken = await client.get("/readyz")
    assert (broken.status_code, broken.json()["code"]) == (500, "internal")
    assert "None" not in broken.text
    assert str(data_dir) not in broken.text


async def test_who_asks_too_often_is_told_when_to_come_back(opened: Open) -> None:
    async with opened(rate_per_minute=6) as client:
        assert (await client.get("/v1/files")).status_code == 200
        refused = await client.get("/v1/files")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert (await client.get("/healthz")).status_code == 200


# --- who may see what ----------------------------------------------------------------------------


async def test_without_a_token_nothing_is_told_where_one_is_needed(
    opened: Open, tmp_path: Path
) -> None:
    file, _ = tokens_file(tmp_path, ann=None)
    async with opened(tokens_file=file) as client:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
            for path in ("/v1/files", "/mcp", "/openapi.json", "/nope"):
                refused = await client.get(path, headers=headers)
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert (await client.get("/healthz")).status_code == 200


async def test_a_token_sees_its_repositories_and_no_sign_of_others(
    opened: Open, tmp_path: Path
) -> None:
    file, headers = tokens_file(tmp_path, ann=["shop"], root=None)
    async with opened(tokens_file=file) as client:

        async def ask(method: str, path: str, **options: Any) -> httpx2.Response:
            return await client.request(method, path, headers=headers["ann"], **options)

        seen = [
            await ask("POST", "/v1/search", json={"query": "total balance of accounts"}),
            await ask("POST", "/v1/search", json={"query": "total_balance", "mode": "exact"}),
            await ask("POST", "/v1/search", json={"query": "x", "scope": {"repos": ["bank"]}}),
            await ask("POST", "/v1/answers", json={"query": "what is total_balance?"}),
            await ask("POST", "/v1/text", json={"query": "accounts"}),
            await ask("GET", "/v1/symbols", params={"query": "total"}),
            await ask("GET", "/v1/files"),
            await ask("GET", "/v1/files/bank.py"),
            await ask("GET", "/v1/files/bank.py", params={"repo": "bank"}),
        ]
        for answer in seen:
            body = answer.text.replace("what is total_balance?", "")
            for query in ('"query":"total balance of accounts"', '"query":"total_balance"'):
                body = body.replace(query, "")
            assert "accounts" not in body
            assert "bank.py:" not in body
            assert '"repo":"bank"' not in body
        assert (await ask("GET", "/v1/files")).json()["total"] == 1
        unknown = await ask("GET", "/v1/files", params={"repo": "bank"})
        other = await ask("GET", "/v1/files", params={"repo": "nowhere"})
        assert (
            unknown.text.replace("bank", "").split("request_id")[0]
            == other.text.replace("nowhere", "").split("request_id")[0]
        )
        all_files = await client.get("/v1/files", headers=headers["root"])
        assert all_files.json()["total"] == 2


async def test_a_session_means_nothing_to_another_principal(opened: Open, tmp_path: Path) -> None:
    file, headers = tokens_file(tmp_path, ann=None, bob=None)
    async with opened(tokens_file=file) as client:
        await client.put(
            "/v1/scope", json={"repos": ["shop"]}, headers=headers["ann"] | {"X-Session-ID": "s"}
        )
        got = await client.get("/v1/scope", headers=headers["bob"] | {"X-Session-ID": "s"})
        assert got.json()["status"] == "unset"


async def test_an_application_without_an_index_says_so(tmp_path: Path) -> None:
    settings: Settings = replace(load_settings({}), data_dir=tmp_path / "none")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            refused = await client.post("/v1/search", json={"query": "x"})
            assert (refused.status_code, refused.json()["code"]) == (503, "index_missing")
            assert int(refused.headers["retry-after"]) > 0
            assert str(tmp_path) not in refused.text
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["mode"]) == (503, "down")
            assert str(tmp_path) not in ready.text
            assert (await client.get("/healthz")).status_code == 200
