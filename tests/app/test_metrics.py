"""What a server tells of itself: metrics of its parts, and a line for each request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.main import create_app
from codeintel_rev.app.request_records import RequestLog, route_of
from codeintel_rev.config.settings import ServerConfig, load_settings

SECRET = "correct horse battery"
TRACES = {"X-Session-ID": "s1"}


@asynccontextmanager
async def server_of(
    tmp_path: Path,
    log: RequestLog | None = None,
    server: ServerConfig | None = None,
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server that tells ``log`` of its requests."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "price.py").write_text("def total_price(items):\n    return sum(items)\n")
    index_repositories([tmp_path / "shop"], data_dir=tmp_path / "dd", settings=load_settings({}))
    server = server or ServerConfig(result_cache=8)
    settings = replace(load_settings({}), data_dir=tmp_path / "dd", server=server)
    app = create_app(settings, log=log)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as opened:
            yield opened


async def numbers(client: httpx2.AsyncClient) -> dict[str, float]:
    """Each sample by its name and labels."""
    told = await client.get("/metrics")
    assert told.status_code == 200
    return {
        " ".join(
            [sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    }


async def test_metrics_tell_what_was_asked_and_what_is_held(tmp_path: Path) -> None:
    async with server_of(tmp_path) as client:
        before = await numbers(client)
        assert before["codeintel_faiss_index_size"] >= 1
        assert before["codeintel_index_usable"] == before["codeintel_redis_up"] == 1
        assert before["codeintel_searches_total outcome=found"] == 0
        await client.put("/v1/scope", json={"languages": ["python"]}, headers=TRACES)
        for _ in range(2):
            await client.post("/v1/search", json={"query": "total price"}, headers=TRACES)
        await client.post("/v1/answers", json={"query": "where is total_price?"})
        await client.get("/v1/files/no/such.py")
        after = await numbers(client)
        assert after["codeintel_searches_total outcome=found"] == 1
        assert after["codeintel_result_cache_lookups_total outcome=hit"] == 1
        assert after["codeintel_answers_total status=ok synthesizer=extractive"] == 1
        assert after["codeintel_http_requests_total route=/v1/search status=2xx"] == 2
        assert after["codeintel_http_requests_total route=/v1/files/{path} status=4xx"] == 1
        assert after["codeintel_scope_registry_size"] == 1
        assert after["codeintel_scope_lookups_total level=l1 outcome=hit"] >= 2
        assert after["codeintel_traces_total outcome=emitted"] >= 1
        assert after["codeintel_disk_free_bytes"] > 0
        assert set(after) == set(before)


async def test_a_request_leaves_one_line_with_its_ids_and_not_what_was_asked(
    tmp_path: Path,
) -> None:
    lines: list[dict[str, Any]] = []
    async with server_of(tmp_path, lambda line: not lines.append(line)) as client:
        answer = await client.post("/v1/answers", json={"query": SECRET}, headers=TRACES)
        found = await client.post("/v1/search", json={"query": SECRET})
        await client.get(f"/v1/files/{SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    assert [line["route"] for line in lines] == ["/v1/answers", "/v1/search", "/v1/files/{path}"]
    assert lines[0]["trace_id"] == answer.json()["trace_id"]
    assert lines[0]["trace_id"] == answer.headers["X-Trace-ID"]
    assert lines[1]["trace_id"] == found.headers["X-Trace-ID"] != lines[0]["trace_id"]
    assert lines[0]["request_id"] == answer.headers["X-Request-ID"]
    assert lines[0]["session_id"] == "s1"
    assert lines[0]["status"] == 200
    assert lines[2]["trace_id"] is None
    assert "horse" not in json.dumps(lines)


async def test_what_was_asked_is_in_the_line_when_that_is_wanted(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    wanted = ServerConfig(log_queries=True)
    async with server_of(tmp_path, lambda line: not lines.append(line), wanted) as client:
        await client.post("/v1/search", json={"query": SECRET})
        await client.post("/v1/answers", json={"query": SECRET})
    assert [line["query"] for line in lines] == [SECRET, SECRET]


async def test_a_line_that_nobody_has_room_for_is_counted(tmp_path: Path) -> None:
    async with server_of(tmp_path, lambda _: False) as client:
        await client.post("/v1/search", json={"query": "total price"})
        assert (await numbers(client))["codeintel_log_lines_lost_total"] >= 1


def test_paths_are_counted_by_their_route() -> None:
    assert route_of("/v1/files/a/b.py") == "/v1/files/{path}"
    assert route_of("/v1/search") == "/v1/search"
    assert route_of("/wp-admin.php") == "other"
