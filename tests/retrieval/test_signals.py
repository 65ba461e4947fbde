from __future__ import annotations

import pytest

from codeintel_rev.retrieval.signals import SIGNALS, query_facts, signal_values
from codeintel_rev.types import ChunkHead
from tests.fakes.candidates import candidates_of


def value(name: str, query: str, **fields: str) -> float:
    chunk = {"uri": "src/router.py", "lang": "python", "kind": "function", "symbol": "match"}
    head = ChunkHead(row=1, id=1, **{**chunk, **fields})
    values = signal_values(query_facts(query.split()), candidates_of([head]))
    return float(values[SIGNALS.index(name), 0])


def test_a_file_is_told_by_the_words_of_its_name() -> None:
    assert value("file_name", "match routes", uri="src/router.py") == 0.0
    assert value("file_name", "match routers", uri="src/router.py") == 1.0
    two_of_three = value("file_name", "url router", uri="src/url_router.py")
    assert two_of_three == pytest.approx(2 / 3)  # the compound `urlrouter` is a word too
    assert value("file_name", "makefile", uri="Makefile") == 1.0


@pytest.mark.parametrize(
    "uri",
    ["tests/a.py", "pkg/test_a.py", "a_test.go", "web/a.spec.ts", "conftest.py", "examples/a.py"],
)
def test_tests_count_only_when_asked_for(uri: str) -> None:
    assert value("test_path", "parse url", uri=uri) == 1.0
    assert value("test_path", "tests of parse url", uri=uri) == 0.0


def test_prose_tells_how_to_do_something_and_definitions_and_tests_do_not() -> None:
    heads = [
        ChunkHead(1, 1, "docs/a.md", "markdown", "section", "Running the tests"),
        ChunkHead(2, 2, "src/run.py", "python", "function", "run"),
        ChunkHead(3, 3, "tests/test_run.py", "python", "function", "test_run"),
    ]
    facts = query_facts(["run", "tests"], is_how_to=True)
    values = dict(zip(SIGNALS, signal_values(facts, candidates_of(heads)).tolist(), strict=True))
    assert values["guide"] == [1.0, 0.0, 0.0]
    assert values["test_path"] == [0.0, 0.0, 1.0]
    assert values["definition"] == values["prose"] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("uri", ["src/latest.py", "contest/a.py", "src/attestation.go"])
def test_other_paths_are_no_tests(uri: str) -> None:
    assert value("test_path", "parse url", uri=uri) == 0.0


@pytest.mark.parametrize(
    "uri",
    [
        "dist/node/app.cjs",
        "web/vendor/d3.js",
        "src/third_party/zlib/inflate.c",
        "deps/lua/src/lapi.c",
        "themes/static/jquery-3.5.1.js",
        "public/app.min.css",
        "test/gtest/gmock.h",
    ],
)
def test_what_was_built_or_copied_is_told(uri: str) -> None:
    assert value("copied", "parse url", uri=uri) == 1.0


@pytest.mark.parametrize(
    "uri",
    ["src/distance.py", "src/vendors.py", "app/deps/db.py", "src/minify.ts", "jquery/core.js"],
)
def test_code_that_is_only_called_so_was_not_copied(uri: str) -> None:
    assert value("copied", "parse url", uri=uri) == 0.0


@pytest.mark.parametrize("lang", ["json", "yaml", "toml", "config"])
def test_data_counts_only_when_asked_for(lang: str) -> None:
    assert value("data", "where are commands dispatched", lang=lang) == 1.0
    assert value("data", "dispatch options of commands", lang=lang) == 0.0
    assert value("data", "workflow that builds the wheels", lang=lang) == 0.0


def test_prose_counts_only_when_asked_for() -> None:
    assert value("prose", "parse url", lang="markdown") == 1.0
    assert value("prose", "install guide", lang="markdown") == 0.0
    assert value("prose", "parse url", lang="python") == 0.0


def test_loose_code_defines_nothing() -> None:
    assert value("definition", "parse") == 1.0
    assert value("definition", "parse", kind="block", symbol="match") == 0.0
    assert value("definition", "parse", symbol="") == 0.0


def test_an_example_in_an_issue_does_not_ask_for_examples() -> None:
    asks = query_facts(["parse", "example", "install"], title=["parse"])
    assert (asks.wants_tests, asks.wants_prose) == (False, False)
    asks = query_facts(["parse", "example", "install"], title=["example", "install"])
    assert (asks.wants_tests, asks.wants_prose) == (True, True)


def test_tests_are_asked_for_in_any_form_of_the_word() -> None:
    assert value("test_path", "timer mocking utilities", uri="src/mock/timers.ts") == 0.0
