from __future__ import annotations

import pytest

from codeintel_rev.retrieval.query import Mention, belongs, parse_query
from codeintel_rev.text.kinds import FUNCTIONS, TYPES


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("src/router.py:7", "src/router.py", 7),
        ("./a/b.go:12-20", "a/b.go", 12),
        ("a.c:3:5", "a.c", 3),
    ],
)
def test_a_location_is_told(text: str, path: str, line: int) -> None:
    assert parse_query(text).location == (path, line)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("match_url", ("match_url",)),
        ("Router.match_url", ("Router.match_url", "match_url", "Router")),
        ("std::vector", ("std.vector", "vector", "std")),
        ("close()", ("close",)),
    ],
)
def test_an_identifier_names_its_last_part_first(text: str, names: tuple[str, ...]) -> None:
    query = parse_query(text)
    assert query.is_identifier
    assert query.names == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("what is a Segment?", ("Segment",)),
        ("where is parse_url defined?", ("parse_url",)),
        ("what does JoinHandle::abort do?", ("JoinHandle.abort", "abort", "JoinHandle")),
        ("what does the inspect function do", ("inspect",)),
        ("show me the implementation of close()", ("close",)),
        ("what is Foo? Is Foo a class?", ("Foo",)),
        ("where is drain defined?", ("drain",)),
    ],
)
def test_a_question_for_one_name_is_that_name(text: str, names: tuple[str, ...]) -> None:
    query = parse_query(text)
    assert query.is_identifier
    assert query.names == names


@pytest.mark.parametrize(
    "text",
    [
        "who calls parse_url?",
        "where is parse_url used in tests?",
        "how do Style and Text fit together?",
        "what is routing?",
        "where is the drain?",
        "what does the code do",
        "",
    ],
)
def test_a_question_for_more_than_one_name_is_none(text: str) -> None:
    assert not parse_query(text).is_identifier


def test_names_are_found_in_a_sentence() -> None:
    query = parse_query("why does parse_url raise when AuthMiddleware calls close() twice")
    assert query.names == ("parse_url", "AuthMiddleware", "close")
    assert not query.is_identifier


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("when does JoinHandle::abort fail?", ("JoinHandle.abort", "JoinHandle")),
        ("does req.accepts() look at headers", ("req.accepts",)),
        ("where is a.b.Parser#read called", ("Parser.read",)),
        ("who writes to src/app/main.py?", ()),
        ("it ends here.Then comes more", ("here.Then",)),
        ("see e.g. version 2.0 of it", ()),
    ],
)
def test_a_name_in_a_sentence_keeps_its_owner(text: str, names: tuple[str, ...]) -> None:
    assert parse_query(text).names == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("when is a Segment split?", ["Segment"]),
        ("how do Style, Text and (Console) fit together", ["Style", "Text"]),
        ("Segment is split. Then it is joined", []),
        ("Improved Long Double Number Policy", []),
        ("the README says TODO, see src/Main.java and Foo.Bar", []),
        ("Segment", []),
        ("which class draws the table struct", ["table", "draws"]),
    ],
)
def test_a_word_with_a_capital_or_a_kind_may_be_a_type(text: str, names: list[str]) -> None:
    mentions = parse_query(text).mentions
    assert [mention.name for mention in mentions] == names
    assert all(mention.kinds == TYPES for mention in mentions)


@pytest.mark.parametrize(
    "text", ["what does the inspect function print", "who calls Method inspect"]
)
def test_a_plain_word_with_its_kind_is_a_name(text: str) -> None:
    assert Mention("inspect", FUNCTIONS) in parse_query(text).mentions


def test_a_pasted_file_costs_few_lookups() -> None:
    pasted = " ".join(f"item.load_{n} save_{n}" for n in range(1000))
    assert len(parse_query(pasted).names) == 8
    assert len(parse_query(pasted[:400]).names) == 16


def test_an_owner_is_a_definition_a_file_or_a_folder() -> None:
    assert belongs("Router", "Outer.Router.match", "a/b.py")
    assert belongs("router", "match", "app/router.py")
    assert belongs("app", "match", "app/router.py")
    assert not belongs("Router", "RouterTest.match", "app/router.py")


def test_stop_words_are_no_terms() -> None:
    assert parse_query("how does the python client retry a request").terms == (
        "client",
        "retry",
        "request",
    )


@pytest.mark.parametrize("text", ["how to use this", "python"])
def test_a_query_of_stop_words_alone_keeps_them(text: str) -> None:
    assert parse_query(text).terms == tuple(text.split())


@pytest.mark.parametrize("text", ["", "   ", "?!"])
def test_an_empty_query_has_no_terms(text: str) -> None:
    assert parse_query(text).terms == ()


def test_the_first_line_is_the_title() -> None:
    query = parse_query("\nCache grows without bound\n\nIt holds every session.\n")
    assert query.title == {"cache", "grows", "without", "bound"}
    assert "session" in query.terms
    assert parse_query("cache of sessions").title == {"cache", "sessions"}


@pytest.mark.parametrize("start", ["a", "_", "A", "a.", "aA", "ab1", " ", "a "])
def test_a_query_takes_as_long_as_it_is(start: str) -> None:
    parse_query(start * (300_000 // len(start)) + "!")  # else it would be an hour


def test_a_few_words_are_looked_up_as_one_name_and_for_a_default() -> None:
    query = parse_query("what is the default pool timeout?")
    assert "default_pool_timeout" in query.spelled
    assert query.default_of.keys() == {"pool", "timeout"}
    assert not query.is_identifier


def test_what_is_quoted_is_no_name_in_words() -> None:
    query = parse_query('who says "default timeout reached"?')
    assert (query.spelled, query.default_of) == ((), {})


@pytest.mark.parametrize(
    ("text", "is_how_to"),
    [
        ("how do I run the tests?", True),
        ("How can we add a theme", True),
        ("how does the router match?", False),
        ("how would you refactor the router?", False),
        ("show how do I", False),
    ],
)
def test_who_asks_how_to_do_something_wants_a_guide(text: str, is_how_to: bool) -> None:
    assert parse_query(text).is_how_to is is_how_to
