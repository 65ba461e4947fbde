"""Results that are given again: only what would be found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.served.code import ServedCode
from codeintel_rev.app.served.index import ServedIndex
from codeintel_rev.app.served.result_cache import Asked, ResultCache
from codeintel_rev.config.settings import ServerConfig, Settings, load_settings
from codeintel_rev.errors import InvalidArgument
from codeintel_rev.types import Scope

ASKED = Asked("q", 10, "hybrid", False, None, None, [("a", 1)])
FOUND: dict[str, Any] = {"query": "q", "hits": [], "limits": []}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("shop", "bank"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(f"def total_{name}(items):\n    return items\n")
    settings = replace(load_settings({}), server=ServerConfig(result_cache=100))
    index(tmp_path, settings)
    return settings


@pytest.fixture
def served(tmp_path: Path, settings: Settings) -> Any:
    served = ServedIndex(tmp_path / "dd", settings)
    yield served
    served.close()


def index(folder: Path, settings: Settings) -> None:
    index_repositories(
        [folder / "shop", folder / "bank"], data_dir=folder / "dd", settings=settings
    )


def search(served: ServedIndex, query: str = "total", **options: Any) -> dict[str, Any]:
    repos = options.pop("repos", None)
    usual: dict[str, Any] = {"limit": 10, "scope": None, "mode": "hybrid", "explain": False}
    return ServedCode(served, repos).search(query, **(usual | options))


def test_a_result_is_given_again_and_says_so(served: ServedIndex) -> None:
    first = search(served)
    again = search(served)
    assert "cached" not in first
    assert again == first | {"cached": True}
    assert served.results.metrics == {"hits": 1, "misses": 1}


def test_nothing_else_is_taken_for_it(served: ServedIndex) -> None:
    search(served)
    for other in (
        {"query": "totals"},
        {"limit": 9},
        {"mode": "lexical"},
        {"explain": True},
        {"scope": Scope(repos=["shop"])},
        {"repos": frozenset({"shop"})},
        {"repos": frozenset({"bank"})},
        {"repos": frozenset({"shop", "bank"})},
        {"repos": frozenset()},
    ):
        assert "cached" not in search(served, **other), other
    seen = search(served, repos=frozenset({"shop"}))
    assert {hit["repo"] for hit in seen["hits"]} == {"shop"}
    assert seen["cached"]


def test_a_commit_ends_it(served: ServedIndex, tmp_path: Path, settings: Settings) -> None:
    search(served, "discount")
    (tmp_path / "shop" / "discount.py").write_text("def discount(price):\n    return price / 2\n")
    index(tmp_path, settings)
    found = search(served, "discount")
    assert "cached" not in found
    assert found["hits"][0]["uri"] == "discount.py"


def test_what_cannot_be_asked_is_refused_as_ever(served: ServedIndex) -> None:
    for _ in range(2):
        with pytest.raises(InvalidArgument):
            search(served, "\ud800")


def test_what_json_cannot_hold_is_looked_for_again() -> None:
    cache = ResultCache(10)
    for _ in range(2):
        found = cache.result(ASKED, lambda: FOUND | {"hits": [{"uri": "a\udc80.py"}]})
        assert "cached" not in found


def test_the_one_that_was_not_asked_for_longest_goes() -> None:
    cache = ResultCache(2)
    for query in ("a", "b", "a", "c", "a", "b"):
        cache.result(ASKED._replace(query=query), FOUND.copy)
    assert cache.metrics == {"hits": 2, "misses": 4}


def test_what_something_held_back_is_looked_for_again() -> None:
    cache = ResultCache(10)
    for _ in range(2):
        found = cache.result(ASKED, lambda: FOUND | {"limits": ["faiss_error"]})
        assert "cached" not in found
