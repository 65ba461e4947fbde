from __future__ import annotations

import pytest

from codeintel_rev.retrieval.query import literals_of, parse_query
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


def test_a_type_stands_before_what_belongs_to_it() -> None:
    assert sorted(["impl", "method", "struct"], key=definition_order) == [
        "struct",
        "method",
        "impl",
    ]
