"""A server sees repositories come and go, and lets nobody's search end early."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.served.code import ServedCode
from codeintel_rev.app.served.files import open_file
from codeintel_rev.app.served.index import ServedIndex
from codeintel_rev.app.served.text_search import search_text
from codeintel_rev.app.trace_reader import TraceReader
from codeintel_rev.app.traces import trace_folder
from codeintel_rev.app.work_pool import WorkPool
from codeintel_rev.config.settings import DuckDBConfig, Settings, load_settings
from codeintel_rev.errors import Busy, DeadlineExceeded, IndexMissing, NotFound, PathOutsideRoot
from codeintel_rev.io.duckdb_manager import IN_MEMORY, DuckDBManager
from tests.fakes.clock import FakeClock


@pytest.fixture
def settings() -> Settings:
    return load_settings({})


def add(folder: Path, name: str, settings: Settings) -> None:
    root = folder / name
    root.mkdir()
    (root / f"{name}.py").write_text(f"def {name}():\n    return 1\n")
    index_repositories([root], data_dir=folder / "dd", settings=settings)


def names(served: ServedIndex) -> list[str]:
    with served.use() as index:
        return [repository.name for repository in index.repositories]


def test_a_repository_that_is_added_is_served(tmp_path: Path, settings: Settings) -> None:
    clock = FakeClock()
    served = ServedIndex(tmp_path / "dd", settings, clock)
    with pytest.raises(IndexMissing):
        names(served)
    add(tmp_path, "one", settings)
    assert names(served) == ["one"]
    with served.use() as before:
        add(tmp_path, "two", settings)
        assert names(served) == ["one", "two"]
        assert before.search("one").hits[0].uri == "one.py"  # still open for whoever uses it
    served.close()


def test_an_index_that_cannot_be_opened_again_is_served_as_it_was(
    tmp_path: Path, settings: Settings
) -> None:
    clock = FakeClock()
    served = ServedIndex(tmp_path / "dd", settings, clock)
    add(tmp_path, "one", settings)
    assert names(served) == ["one"]
    registry = tmp_path / "dd" / "registry.sqlite"
    kept = registry.read_bytes()
    registry.write_bytes(b"x" * 4096)
    assert names(served) == ["one"]
    registry.write_bytes(kept)
    clock.now += 60
    assert names(served) == ["one"]
    served.close()


def test_a_view_holds_some_repositories_only(tmp_path: Path, settings: Settings) -> None:
    add(tmp_path, "one", settings)
    add(tmp_path, "two", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    with served.use(frozenset({"two", "unknown"})) as index:
        assert [repository.name for repository in index.repositories] == ["two"]
        assert {hit.repo for hit in index.search("def one two return").hits} == {"two"}
    with served.use(frozenset()) as index:
        assert index.search("one").limits == ("scope_empty",)
    served.close()


def test_a_folder_that_became_a_link_leads_nowhere(tmp_path: Path, settings: Settings) -> None:
    root = tmp_path / "one"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "a.py").write_text("a = 1\n")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.py").write_text("password = 1\n")
    index_repositories([root], data_dir=tmp_path / "dd", settings=settings)
    served = ServedIndex(tmp_path / "dd", settings)
    (root / "inner").rename(root / "moved")
    (root / "inner").symlink_to(tmp_path / "secret")
    with served.use() as index, pytest.raises(NotFound, match="no longer there"):
        open_file(index, "inner/a.py", None, None, None)
    with served.use() as index, pytest.raises(PathOutsideRoot):
        open_file(index, "inner/../../secret/a.py", None, None, None)
    served.close()


async def test_a_pool_refuses_what_it_cannot_get_to() -> None:
    pool = WorkPool(quick=1, others=1, queue=0, timeout_s=60)
    go = Event()
    first = asyncio.create_task(pool.run(go.wait))
    second = asyncio.create_task(pool.run(lambda: 2))
    await asyncio.sleep(0)
    assert pool.saturated
    with pytest.raises(Busy):
        await pool.run(lambda: 3)
    go.set()
    assert (await first, await second) == (True, 2)
    assert await pool.run(lambda: 4) == 4
    pool.close()


async def test_a_pool_gives_up_work_that_is_late_and_keeps_its_place() -> None:
    pool = WorkPool(quick=1, others=1, queue=0, timeout_s=0.01)
    go = Event()
    for quick in (True, False):
        with pytest.raises(DeadlineExceeded):
            await pool.run(go.wait, quick=quick)
    assert pool.saturated
    go.set()
    with ThreadPoolExecutor(1) as other:
        other.submit(go.wait).result()
    pool.close()


async def test_quick_work_does_not_wait_for_other_work() -> None:
    pool = WorkPool(quick=1, others=1, queue=10, timeout_s=60)
    go = Event()
    slow = asyncio.create_task(pool.run(go.wait))
    assert await pool.run(lambda: 1, quick=True) == 1
    assert not slow.done()
    go.set()
    assert await slow
    pool.close()


async def test_work_that_is_done_elsewhere_waits_for_its_turn_or_is_refused() -> None:
    pool = WorkPool(quick=1, others=1, queue=0, timeout_s=60, places=1)
    order: list[str] = []

    async def waiting() -> None:
        async with pool.place():
            order.append("second")

    async with pool.place():
        second = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        assert pool.saturated
        with pytest.raises(Busy):
            async with pool.place():
                pass
        order.append("first")
    await second
    assert order == ["first", "second"]
    assert pool.taken == 0
    pool.close()


async def test_a_question_holds_its_place_until_a_language_model_could_speak(
    tmp_path: Path, settings: Settings
) -> None:
    add(tmp_path, "one", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    pool = WorkPool(quick=1, others=1, queue=0, timeout_s=60, places=1)
    code = ServedCode(served, None, place=pool.place)
    events = code.answer(
        "what does one return?", scope=None, top_k=5, rerank_top_n=5, time_budget_ms=None
    )
    async with pool.place():
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        assert pool.taken == 2
        assert not first.done()
    await first
    assert pool.taken == 0
    assert [step.event async for step in events][-1] == "envelope"
    pool.close()
    served.close()


ENDLESS = "SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1"


@pytest.mark.parametrize("timeout_s", [0.05, 60])
async def test_a_query_that_nobody_waits_for_gives_its_thread_back(timeout_s: float) -> None:
    pool = WorkPool(quick=1, others=1, queue=0, timeout_s=timeout_s)
    begun = Event()
    with DuckDBManager(IN_MEMORY, DuckDBConfig()) as manager:

        def scan() -> None:
            with manager.connection(timeout_s=3600) as connection:
                begun.set()
                connection.execute(ENDLESS).fetchall()

        call = asyncio.create_task(pool.run(scan))
        assert await asyncio.to_thread(begun.wait, 60)
        if timeout_s > 1:
            call.cancel()
        with pytest.raises((asyncio.CancelledError, DeadlineExceeded)):
            await call
        async with asyncio.timeout(60):
            while pool.taken:  # noqa: ASYNC110  another thread decides
                await asyncio.sleep(0.01)
    pool.close()


def test_views_share_what_searches_exhaustively(tmp_path: Path, settings: Settings) -> None:
    add(tmp_path, "one", settings)
    add(tmp_path, "two", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    with served.use(frozenset({"one"})) as view, served.use() as whole:
        assert view.search_all("return 1").total == 1
        assert whole.search_all("return 1").total == 2
        assert view._exhaustive_searcher() is whole._exhaustive_searcher()
    served.close()


def test_a_search_is_on_record_by_the_name_that_was_told(tmp_path: Path) -> None:
    settings = load_settings({"TRACE_SEARCH_SHARE": "1"})
    add(tmp_path, "one", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    code = ServedCode(served, None, session="s")
    code.search("one", limit=5, scope=None, mode="hybrid", explain=False)
    served.close()

    reader = TraceReader(trace_folder(tmp_path / "dd"), keep_days=30)
    assert reader.row(code.notes["trace_id"])["query"] == "one"


async def test_what_was_answered_is_on_record_when_the_server_ends(
    tmp_path: Path, settings: Settings
) -> None:
    add(tmp_path, "one", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    async with served.answering() as orchestrator:
        async for event in orchestrator.answer("what does one return?", session_id="s"):
            envelope = event.envelope
    served.close()

    assert envelope is not None
    reader = TraceReader(trace_folder(tmp_path / "dd"), keep_days=30)
    assert reader.row(envelope.trace_id)["session_id"] == "s"


async def test_who_hangs_up_while_it_is_opened_does_not_keep_it(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    close = LocalIndex.close
    monkeypatch.setattr(LocalIndex, "close", lambda index: (closed.append("now"), close(index)))
    opening, go = Event(), Event()

    def clock() -> float:
        opening.set()
        go.wait(60)
        return 0.0

    add(tmp_path, "one", settings)
    served = ServedIndex(tmp_path / "dd", settings, clock)
    assert names(served) == ["one"]
    add(tmp_path, "two", settings)

    async def ask() -> None:
        async with served.answering():
            raise AssertionError

    asking = asyncio.create_task(ask())
    await asyncio.to_thread(opening.wait, 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go.set()
    assert await asyncio.to_thread(names, served) == ["one", "two"]
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    await asyncio.sleep(0)
    served.close()
    assert len(closed) == 2


@pytest.mark.parametrize("paths", [[], ["."], [""], ["./", "none"], ["one.py"]])
def test_the_root_of_a_repository_holds_everything(
    tmp_path: Path, settings: Settings, paths: list[str]
) -> None:
    add(tmp_path, "one", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    with served.use() as index:
        found = search_text(
            index,
            "return 1",
            regex=False,
            case_sensitive=True,
            paths=paths,
            scope=None,
            max_results=5,
        )
    assert found["total"] == 1
    served.close()


async def test_threads_are_kept_for_some_sets_of_repositories(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[AnswerOrchestrator] = []

    def close(orchestrator: AnswerOrchestrator) -> None:
        closed.append(orchestrator)

    monkeypatch.setattr(AnswerOrchestrator, "close", close)
    add(tmp_path, "one", settings)
    served = ServedIndex(tmp_path / "dd", settings)
    async with served.answering(frozenset({"one"})) as used, served.answering() as everything:
        for number in range(100):
            async with served.answering(frozenset({f"team {number}"})) as last:
                assert used not in closed
        assert len(closed) == 100 + 2 - 64
        assert not {used, everything, last} & set(closed)
        async with served.answering(frozenset({"one"})) as again:
            assert again is used
    served.close()
    assert len(set(closed)) == len(closed) == 102
