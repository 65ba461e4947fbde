from __future__ import annotations

import pytest

from codeintel_rev.retrieval.query import literals_of, message_runs, parse_query, spoken
from codeintel_rev.text.kinds import definition_order


@pytest.mark.parametrize(
    ("query", "literals"),
    [
        ('what raises "Cannot construct instance of"?', ("Cannot construct instance of",)),
        ("public <T> T readValue(String content)", ("public <T> T readValue(String content)",)),
        ("def  runtest(item,\n   nextitem):", ("def runtest(item, nextitem):",)),
        ("how does routing match a URL?", ()),
        ("parse_args()", ()),
        ("don't retry what can't succeed", ()),
        ('where is "verbose" set', ()),
        ("x = 1\n" * 200, ()),
    ],
)
def test_quotations_and_pasted_lines_are_to_be_found_as_they_stand(
    query: str, literals: tuple[str, ...]
) -> None:
    assert literals_of(query) == literals


def test_a_name_alone_is_no_quotation() -> None:
    assert parse_query("foo.bar()").literals == ()


@pytest.mark.parametrize(
    ("query", "literals"),
    [
        ('what raises "Cannot construct instance of"?', ("Cannot construct instance of",)),
        ("where is `Container::scoped()` called", ("Container::scoped()",)),
        ("why must `prepare_auth()` be called last, after the body has been prepared", ()),
        ('Allow to disable the limit\nWith nil there is "no limit" at all any more', ()),
    ],
)
def test_what_is_only_mentioned_is_not_to_be_found_as_it_stands(
    query: str, literals: tuple[str, ...]
) -> None:
    assert parse_query(query).literals == literals


def test_a_text_that_quotes_is_no_message() -> None:
    text = 'the server prints "no more room" and then stops to answer any of its callers'
    assert parse_query(text).runs == ()


def test_a_type_stands_before_what_belongs_to_it() -> None:
    assert sorted(["impl", "method", "struct"], key=definition_order) == [
        "struct",
        "method",
        "impl",
    ]


@pytest.mark.parametrize(
    ("message", "source"),
    [
        (
            "Can't save in background: fork: Cannot allocate memory",
            'serverLog(LL_WARNING, "Can\'t save in background: fork: %s", strerror(errno));',
        ),
        (
            "No handler found for event order.created and no default handler was set",
            '"No handler found for event %s and no default "\n    "handler was set"',
        ),
    ],
)
def test_a_message_is_found_by_a_run_of_its_words_whatever_was_filled_in(
    message: str, source: str
) -> None:
    assert any(run in spoken(source) for run in message_runs(message))


@pytest.mark.parametrize(
    "text",
    [
        "how does a task get woken up after its waker is called",
        "the waker is called, but does the task wake up?",
        "how to check that a file is empty, in python",
        "route matching order",
        "a long paste " * 40,
    ],
)
def test_questions_key_words_and_pasted_issues_are_no_messages(text: str) -> None:
    assert message_runs(text) == ()
