"""An index whose vectors, answers and order come from model servers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.doctor import examine
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.model_doctor import examine_models
from codeintel_rev.app.models import HERE, embedding_url, transport_of
from codeintel_rev.app.readiness import ReadinessProbe
from codeintel_rev.app.workers import serve
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import SettingsError, Unavailable
from tests.fakes.model_server import DIM, DONE, USAGE, ModelServer, chunk, serving

EMBEDDINGS = "/v1/embeddings"
Configure = Callable[..., Settings]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving(ModelServer()) as app:
        yield app


@pytest.fixture
def configure(server: ModelServer) -> Configure:
    """Return the settings of somebody who embeds through ``server``, and more by name."""

    def settings(**more: str) -> Settings:
        embedding = {"EMBEDDING_PROVIDER": "vllm", "EMBEDDING_MODEL_ID": "m"}
        return load_settings({"VLLM_BASE_URL": server.url, **embedding, **more})

    return settings


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "cart.py").write_text("def add_to_cart(item):\n    return item\n")
    (root / "pay.py").write_text("def pay(total):\n    return total\n")
    return root


def texts(server: ModelServer) -> list[str]:
    """Every text that the server was asked to embed, but the one that tells the length."""
    asked = [text for body in server.bodies(EMBEDDINGS) for text in body["input"]]
    return [text for text in asked if text != "length"]


def test_chunks_and_queries_are_embedded_by_the_server(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    with open_index(shop, settings=configure()) as index:
        assert index.embedder.dim == DIM
        assert texts(server) == [
            "cart.py\nadd_to_cart\ndef add_to_cart(item):\n    return item",
            "pay.py\npay\ndef pay(total):\n    return total",
        ]
        for _ in range(2):
            found = index.search("pay.py\npay", mode="dense")
            assert found.hits[0].uri == "pay.py"
            assert found.limits == ()
    assert len(texts(server)) == 3  # the query once


def test_an_unknown_model_tells_its_length_once(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    for _ in range(3):
        open_index(shop, settings=configure()).close()
    lengths = [body for body in server.bodies(EMBEDDINGS) if body["input"] == ["length"]]
    assert len(lengths) == 1


def test_nothing_is_embedded_twice(server: ModelServer, configure: Configure, shop: Path) -> None:
    open_index(shop, settings=configure()).close()
    index_repositories([shop], data_dir=shop / ".codeintel", full=True, settings=configure())
    (shop / "pay.py").rename(shop / "bill.py")
    open_index(shop, settings=configure()).close()
    assert len(texts(server)) == 3  # a path is a part of what is embedded


def test_another_model_makes_all_vectors_anew(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    index_repositories([shop], settings=load_settings({}))
    index_repositories([shop], settings=configure())
    with open_index(shop, settings=configure()) as index:
        assert index.search("cart.py\nadd", mode="dense").hits[0].uri == "cart.py"
    assert len(texts(server)) == 3
    index_repositories([shop], settings=load_settings({}))
    with open_index(shop, settings=load_settings({})) as index:
        assert index.search("add an item to the cart", mode="dense").hits[0].uri == "cart.py"


def test_a_search_does_not_change_the_model_from_or_to_that_of_a_server(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    embedded, served = load_settings({}), configure()
    for settings, other in ((embedded, served), (served, embedded)):
        index_repositories([shop], settings=settings)
        asked = len(texts(server))
        with open_index(shop, settings=other) as index:
            found = index.search("add_to_cart")
        assert found.hits[0].uri == "cart.py"
        assert set(found.limits) == {"faiss_error", "stale_index"}
        assert len(texts(server)) <= asked + 1  # the query
        with open_index(shop, settings=settings) as index:
            assert index.search("cart.py\nadd", mode="dense").limits == ()


def test_while_the_server_is_away_searches_go_by_words(configure: Configure, shop: Path) -> None:
    with open_index(shop, settings=configure()) as index:
        data_dir = index.data_dir
    away = configure(VLLM_BASE_URL="http://127.0.0.1:9")
    with LocalIndex(data_dir, away) as index:
        found = index.search("add_to_cart item")
        assert found.hits[0].uri == "cart.py"
        assert found.limits == ("embedding_failed",)
        envelope = index.ask("where is something added to the cart?")
        assert envelope.citations[0].uri == "cart.py"
        assert "embedding_failed" in envelope.limits


def test_without_its_server_a_first_index_fails_in_so_many_words(
    configure: Configure, shop: Path
) -> None:
    away = configure(
        VLLM_BASE_URL="http://127.0.0.1:9", EMBEDDING_VEC_DIM="8", EMBEDDING_MODEL_ID="mistyped"
    )
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9.* cannot be reached"):
        open_index(shop, settings=away)
    with open_index(shop, settings=configure()) as index:
        assert index.search("cart.py\nadd", mode="dense").limits == ()


def test_a_wrong_dimension_is_told_with_both_numbers(configure: Configure, shop: Path) -> None:
    wrong = configure(EMBEDDING_VEC_DIM="16")
    with pytest.raises(SettingsError, match="vectors of 8, 16 were configured"):
        open_index(shop, settings=wrong)


def test_a_known_model_gets_its_prefixes_and_a_shorter_length(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    server.dim = 64
    known = configure(EMBEDDING_MODEL_ID="nomic-ai/nomic-embed-text-v1.5", EMBEDDING_VEC_DIM="64")
    with open_index(shop, settings=known) as index:
        index.search("pay", mode="dense")
    asked = texts(server)
    assert asked[0].startswith("search_document: cart.py")
    assert asked[-1] == "search_query: pay"
    assert server.bodies(EMBEDDINGS)[0]["dimensions"] == 64


class _Killer(ModelServer):
    """Kills its client when it is asked for more once so many vectors are kept."""

    def __init__(self, data_dir: Path, kept: int) -> None:
        super().__init__()
        self._data_dir, self._kept = data_dir, kept
        self.victim: int | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while self.victim is not None and len(texts(self)) >= self._kept:
            if self._count() >= self._kept:
                os.kill(self.victim, signal.SIGKILL)
                return
            await asyncio.sleep(0.01)
        await super().__call__(scope, receive, send)

    def _count(self) -> int:
        (file,) = (self._data_dir / "embeddings").glob("*.sqlite")
        with sqlite3.connect(file) as database:
            (count,) = database.execute("SELECT COUNT(*) FROM vectors").fetchone()
        database.close()
        return int(count)


def test_killed_at_four_fifths_it_goes_on_from_there(tmp_path: Path, shop: Path) -> None:
    files, kept = 320, 256
    for number in range(files - 2):
        (shop / f"m{number}.py").write_text(f"def f{number}():\n    return {number}\n")
    with serving(_Killer(shop / ".codeintel", kept)) as server:
        assert isinstance(server, _Killer)
        env = {
            **os.environ,
            "EMBEDDING_PROVIDER": "vllm",
            "EMBEDDING_MODEL_ID": "m",
            "EMBEDDING_VEC_DIM": str(DIM),
            "VLLM_BASE_URL": server.url,
        }
        command = [sys.executable, "-m", "codeintel_rev", "index", str(shop)]
        with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
            server.victim = process.pid
        assert process.returncode == -signal.SIGKILL
        server.victim = None
        before = len(texts(server))
        assert before == kept
        subprocess.run(command, env=env, check=True, capture_output=True)
        assert len(texts(server)) - before == files - kept


def test_a_language_model_writes_the_answer(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    end = chunk("", finish_reason="stop")
    server.stream = [chunk("It is "), chunk("added [1"), chunk("]."), end, USAGE, DONE]
    with open_index(shop, settings=configure(VLLM_CHAT_MODEL="m")) as index:
        events = list(index.ask_events("where is an item added to the cart?"))
    (trace,) = (event.trace for event in events if event.trace is not None)
    envelope = events[-1].envelope
    assert envelope is not None
    assert envelope.plan.synthesizer == "chat"
    assert envelope.answer == "It is added (cart.py:1-2)."
    assert (trace["tokens_in"], trace["tokens_out"]) == (7, 2)
    assert trace["ttft_ms"] > 0
    assert trace["tps"] > 0


def test_a_score_model_orders_the_hits_anew(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    server.score = lambda query, text: 0.9 if "pay" in text else 0.1
    settings = configure(VLLM_SCORE_MODEL="m", ANSWER_RERANK_TIMEOUT_MS="30000")
    with open_index(shop, settings=settings) as index:
        envelope = index.ask("where is something added to the cart?", limit=1)
    assert [snippet.uri for snippet in envelope.snippets] == ["pay.py"]
    assert envelope.plan.rerank_k == 2


async def test_a_server_of_another_model_keeps_it_from_starting(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    settings = replace(configure(EMBEDDING_VEC_DIM=str(DIM)), data_dir=shop / ".codeintel")
    await asyncio.to_thread(lambda: open_index(shop, settings=settings).close())
    server.dim = 12
    with pytest.raises(SettingsError, match=r"gives vectors of 12, 8 are expected") as caught:
        await ApplicationContext.create(settings)
    assert "EMBEDDING_VEC_DIM=12" in caught.value.hint


def test_the_vectors_of_another_model_are_not_taken_for_damaged_ones(
    configure: Configure, shop: Path
) -> None:
    index_repositories([shop], settings=load_settings({}))
    report = examine(shop / ".codeintel", configure())
    told = {check.name.partition(": ")[2]: check for check in report.checks if not check.ok}
    assert told.keys() == {"components"}
    assert "codeintel index" in told["components"].fix


async def test_an_index_of_another_model_keeps_it_from_starting(
    configure: Configure, shop: Path
) -> None:
    settings = replace(configure(), data_dir=shop / ".codeintel")
    await asyncio.to_thread(lambda: open_index(shop, settings=settings).close())
    other = replace(settings, embedding=replace(settings.embedding, model_id="other"))
    for named in (other, replace(load_settings({}), data_dir=settings.data_dir)):
        with pytest.raises(SettingsError, match="model mismatch") as caught:
            await ApplicationContext.create(named)
        assert "codeintel index" in caught.value.hint


async def test_servers_that_are_away_degrade_it(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    settings = replace(
        configure(VLLM_CHAT_MODEL="m", VLLM_SCORE_MODEL="scorer"), data_dir=shop / ".codeintel"
    )
    await asyncio.to_thread(lambda: open_index(shop, settings=settings).close())
    away = replace(settings.vllm, embedding_base_url="http://127.0.0.1:9")
    context = await ApplicationContext.create(replace(settings, vllm=away))
    try:
        found = await ReadinessProbe(context).check()
    finally:
        await context.close()
    assert (found["ready"], found["mode"]) == (True, "degraded")
    told = {name: check["ok"] for name, check in found["checks"].items()}
    assert told["chat"]
    assert not told["embedding_server"]
    assert not told["rerank"]
    assert "serves m, not scorer" in found["detail"]


def test_doctor_tells_what_a_server_is_good_for(server: ModelServer) -> None:
    server.absent = {"/tokenize"}
    report = examine_models(server.url, load_settings({"VLLM_API_KEY": "k"}))
    assert report.ok
    told = {check.name: check.detail for check in report.checks}
    assert told["models"] == "m"
    assert told["embeddings"] == f"{DIM} dimensions"
    assert told["tokenizer"] == "not served by this model"
    assert told["chat"].startswith("first token after ")
    assert all(check.ms > 0 for check in report.checks)


def test_doctor_finds_a_server_of_another_model(server: ModelServer, configure: Configure) -> None:
    server.dim = 12
    report = examine_models(server.url, configure(EMBEDDING_VEC_DIM="8"))
    fault = next(check for check in report.checks if not check.ok)
    assert not report.ok
    assert "12" in fault.detail
    assert "8" in fault.detail
    assert "EMBEDDING_VEC_DIM=12" in fault.fix


def test_doctor_finds_nobody_there(configure: Configure) -> None:
    report = examine_models("http://127.0.0.1:9", configure())
    assert not report.ok
    assert "cannot be reached" in report.checks[0].detail


def test_a_key_goes_where_the_settings_say(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    settings = configure(VLLM_API_KEY="s3cret", VLLM_API_KEY_HEADER="api-key")
    open_index(shop, settings=settings).close()
    headers = server.asked[-1][2]
    assert headers["api-key"] == "s3cret"
    assert "authorization" not in headers
    assert "s3cret" not in repr(settings)


async def test_a_server_lets_the_language_model_answer_many_at_once(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    end = chunk("", finish_reason="stop")
    server.stream = [chunk("It is "), chunk("added [1]."), end, USAGE, DONE]
    settings = replace(configure(VLLM_CHAT_MODEL="m"), data_dir=shop / ".codeintel")
    await asyncio.to_thread(lambda: open_index(shop, settings=settings).close())
    context = await ApplicationContext.create(settings)

    async def ask() -> str:
        async with context.served.answering() as orchestrator:
            events = orchestrator.answer("where is an item added to the cart?")
            (envelope,) = [e.envelope async for e in events if e.envelope is not None]
        assert envelope.plan.synthesizer == "chat"
        return envelope.answer

    try:
        found = await asyncio.gather(*(ask() for _ in range(8)))
    finally:
        await context.close()
    assert set(found) == {"It is added (cart.py:1-2)."}
    assert len(texts(server)) == 3  # the same question is embedded once


def test_code_goes_to_openai_only_where_no_address_is_named(configure: Configure) -> None:
    named = load_settings({"EMBEDDING_PROVIDER": "openai", "VLLM_BASE_URL": HERE})
    assert embedding_url(named.vllm, "openai") == HERE
    assert embedding_url(load_settings({}).vllm, "openai") == "https://api.openai.com"
    assert transport_of(load_settings({}).vllm, "", 1.0).base_url == HERE


def test_a_path_before_the_version_stays_in_an_address(configure: Configure) -> None:
    settings = configure(VLLM_BASE_URL="https://name.openai.azure.com/openai/v1/")
    transport = transport_of(settings.vllm, "", 1.0)
    assert transport.base_url == "https://name.openai.azure.com/openai"


def test_serving_an_index_of_another_server_is_refused_at_once(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    settings = replace(configure(EMBEDDING_VEC_DIM=str(DIM)), data_dir=shop / ".codeintel")
    open_index(shop, settings=settings).close()
    server.dim = 12
    with pytest.raises(SettingsError, match=r"gives vectors of 12, 8 are expected"):
        serve(settings, shop, "127.0.0.1", 0, 1, lambda address: None)


async def test_a_server_that_hangs_degrades_it_whatever_a_query_may_take(
    server: ModelServer, configure: Configure, shop: Path
) -> None:
    settings = replace(configure(VLLM_QUERY_TIMEOUT_MS="60000"), data_dir=shop / ".codeintel")
    await asyncio.to_thread(lambda: open_index(shop, settings=settings).close())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        hanging = replace(settings, vllm=replace(settings.vllm, base_url=url))
        context = await ApplicationContext.create(hanging)
        try:
            found = await ReadinessProbe(context).check()
        finally:
            await context.close()
    assert found["checks"]["embedding"]["ok"]
    assert not found["checks"]["embedding_server"]["ok"]
