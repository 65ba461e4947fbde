from __future__ import annotations

import pytest

from codeintel_rev.retrieval.spelled_names import spelled_names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("pool timeout", ["pool_timeout"]),
        ("to camel case", ["camel_case", "to_camel_case"]),
        ("where do we convert to camel case?", ["convert_camel_case", "convert_to_camel_case"]),
        ("the request context class", ["request_context", "the_request_context_class"]),
        (
            "default value of the pool timeout",
            ["default_pool_timeout"],
        ),
        ("the default value", ["the_default_value"]),
        ("pool", []),
        ("who calls pool_timeout first?", []),  # a name as it is written is looked up so
        ("how are HTTP requests matched to the handlers of a group of routes?", []),
        ("", []),
        ("is it", []),
        ("pool timeout " * 30, []),
    ],
)
def test_a_few_words_may_be_one_name(query: str, names: list[str]) -> None:
    assert list(spelled_names(query))[::4] == names


def test_a_name_is_written_in_four_ways() -> None:
    names = ("pool_timeout", "pooltimeout", "_pool_timeout", "_pooltimeout")
    assert spelled_names("Pool  timeout?") == names
