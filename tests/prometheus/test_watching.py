"""What Prometheus sees of a real server, on a good day and on bad ones."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event

import pytest

from codeintel_rev.app.indexer import index_repositories
from tests.fakes.model_server import ModelServer

from .conftest import DEPLOY, TIMEOUT_S, Watched, ask, until

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(3 * TIMEOUT_S)]

NUMBERS = count()

A_DAY_S = 20.0
"""How long searches are fast, and then slow: the rules compare with 10 to 15 s before."""

OF_THE_MACHINE = {
    "CodeintelDiskLow",
    "CodeintelSlowAnswers",
    "CodeintelSlowSearches",
    "CodeintelSlowerThanYesterday",
    "CodeintelTimeouts",
}
"""Alerts that a machine which is busy with other work, or full, may rightly raise."""


def expressions() -> Iterator[tuple[str, str, str]]:
    """Yield (dashboard, panel, expression) of every panel that is shipped."""
    for file in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield file.stem, panel["title"], target["expr"].replace("$__rate_interval", "30s")


def busy(watched: Watched) -> None:
    """Ask something of everything."""
    for _ in range(5):
        ask(watched.address, "/v1/search", {"query": "total price"})
        ask(watched.address, "/v1/answers", {"query": "how is the total price computed?"})
        ask(watched.address, "/v1/search", {"query": ""})


def search_anew(watched: Watched) -> None:
    """Search for what nobody asked before, which no cache answers."""
    ask(watched.address, "/v1/search", {"query": f"total price {next(NUMBERS)}"})


@contextmanager
def asking(something: Callable[[], object], callers: int = 8) -> Iterator[None]:
    """Let several callers ask again and again until the end of the block."""
    over = Event()

    def keep_on() -> None:
        while not over.is_set():
            something()

    with ThreadPoolExecutor(callers) as threads:
        asked = [threads.submit(keep_on) for _ in range(callers)]
        try:
            yield
        finally:
            over.set()
    for caller in asked:
        caller.result()


def test_every_panel_shows_something(watched: Watched) -> None:
    busy(watched)
    until(lambda: watched.query("sum(codeintel_answers_total) >= 5"), "the answers were scraped")
    busy(watched)

    def blank() -> list[tuple[str, str, str]]:
        return [panel for panel in expressions() if not watched.query(panel[2])]

    with suppress(AssertionError):
        until(lambda: not blank(), "every panel shows something")
    assert not blank()


def test_every_recorded_number_has_a_value(watched: Watched) -> None:
    rules = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")
    for name in re.findall(r"- record: (\S+)", rules):
        until(lambda name=name: watched.query(name), name)  # type: ignore[misc]


def test_nothing_is_wrong_with_a_server_that_is_well(watched: Watched) -> None:
    until(lambda: watched.firing() <= OF_THE_MACHINE, "nothing is wrong")


def test_writing_without_a_compaction_is_told(watched: Watched) -> None:
    number = iter(range(1000))

    def told() -> bool:
        (watched.shop / "new.py").write_text(f"def new_{next(number)}():\n    return 0\n")
        index_repositories([watched.shop], data_dir=watched.shop.parent / "index")
        return "CodeintelNoCompaction" in watched.firing()

    until(told, "CodeintelNoCompaction")


def test_answers_from_an_index_behind_the_files_are_told(watched: Watched) -> None:
    (watched.shop / "price.py").write_text("def other():\n    return 0\n")

    def told() -> bool:
        ask(watched.address, "/v1/answers", {"query": "how is the total price computed?"})
        return "CodeintelIndexStale" in watched.firing()

    until(told, "CodeintelIndexStale")


def test_answers_that_are_late_are_told(watched: Watched) -> None:
    def told() -> bool:
        hurried = {"query": "how is the total price computed?", "time_budget_ms": 1}
        ask(watched.address, "/v1/answers", hurried)
        return "CodeintelTimeouts" in watched.firing()

    until(told, "CodeintelTimeouts")


def test_a_redis_that_is_gone_is_told(watched: Watched) -> None:
    watched.redis.close()
    until(lambda: "CodeintelRedisDown" in watched.firing(), "CodeintelRedisDown")


def test_an_index_that_is_missing_is_told_and_what_fails_for_it(
    watched_without_index: Watched,
) -> None:
    def told() -> bool:
        ask(watched_without_index.address, "/v1/search", {"query": "total price"})
        return {"CodeintelIndexUnusable", "CodeintelErrors"} <= watched_without_index.firing()

    until(told, "CodeintelIndexUnusable and CodeintelErrors")


def test_a_server_that_is_gone_is_told(watched: Watched) -> None:
    watched.server.terminate()
    until(lambda: "CodeintelDown" in watched.firing(), "CodeintelDown")


def test_a_disk_with_little_room_is_told(hurt: Watched) -> None:
    until(lambda: "CodeintelDiskLow" in hurt.firing(), "CodeintelDiskLow")


def test_traces_that_are_given_up_are_told(hurt: Watched) -> None:
    def told() -> bool:
        search_anew(hurt)
        return "CodeintelTracesLost" in hurt.firing()

    until(told, "CodeintelTracesLost")


def test_answers_that_wait_for_a_model_are_told(hurt: Watched) -> None:
    def told() -> bool:
        ask(hurt.address, "/v1/answers", {"query": "how is the total price computed?"})
        return "CodeintelSlowAnswers" in hurt.firing()

    until(told, "CodeintelSlowAnswers")


def test_a_server_with_no_room_for_more_is_told(hurt: Watched) -> None:
    with asking(lambda: ask(hurt.address, "/v1/answers", {"query": "how much is it?"})):
        until(lambda: "CodeintelSaturated" in hurt.firing(), "CodeintelSaturated")


@pytest.mark.timeout(5 * TIMEOUT_S)
def test_searches_that_become_slow_are_told(embedded: Watched, embedder: ModelServer) -> None:
    wanted = {"CodeintelSlowSearches", "CodeintelSlowerThanYesterday"}
    seen: set[str] = set()
    began = time.monotonic()

    def told() -> bool:
        embedder.delay_s = float((time.monotonic() - began) // A_DAY_S % 2)
        seen.update(embedded.firing() if embedder.delay_s else ())
        return wanted <= seen

    with asking(lambda: search_anew(embedded)):
        until(told, " and ".join(sorted(wanted)), 3 * TIMEOUT_S)
