"""What every surface accepts and refuses."""

from __future__ import annotations

import pytest

from codeintel_rev.app.requests import (
    MAX_LIMIT,
    checked_limit,
    checked_query,
    checked_scope,
    plain_text,
    scope_of,
)
from codeintel_rev.errors import BadGlob, InvalidArgument, QueryTooLong, UnknownLanguage
from codeintel_rev.types import Scope


def test_white_space_around_a_query_is_dropped_and_inside_it_kept() -> None:
    assert checked_query("  url\trouting\r\nhow? ", 100) == "url\trouting\r\nhow?"


@pytest.mark.parametrize("query", ["", " ", "\n\t "])
def test_a_blank_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument, match="empty"):
        checked_query(query, 100)


@pytest.mark.parametrize("char", ["\x00", "\x1b", "\x7f", "\x9b", "\udc80"])
def test_a_control_character_is_refused_and_named(char: str) -> None:
    with pytest.raises(InvalidArgument, match=rf"U\+{ord(char):04X} at position 3"):
        checked_query(f"ab{char}c", 100)


def test_bytes_that_are_no_utf_8_are_called_so() -> None:
    with pytest.raises(InvalidArgument, match="no UTF-8"):
        checked_query("caf\udce9", 100)


def test_a_query_may_be_as_long_as_allowed_and_no_longer() -> None:
    assert len(checked_query("x" * 100, 100)) == 100
    with pytest.raises(QueryTooLong, match="40,000 characters, 32,768 are accepted"):
        checked_query("x" * 40_000, 32_768)


def test_pasted_text_can_be_freed_of_what_is_refused() -> None:
    assert checked_query(plain_text("a\x1b[31mred\x00"), 100) == "a [31mred"


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_a_limit_outside_the_bounds_is_refused(limit: int) -> None:
    with pytest.raises(InvalidArgument, match=str(limit)):
        checked_limit(limit)
    assert checked_limit(MAX_LIMIT) == MAX_LIMIT


def test_a_scope_that_restricts_nothing_is_none() -> None:
    assert scope_of() is None
    assert checked_scope(Scope()) is None


def test_languages_get_their_one_name_once() -> None:
    assert scope_of(languages=["py", "Python", "golang"]) == Scope(languages=["python", "go"])


def test_unknown_languages_and_bad_globs_are_refused() -> None:
    with pytest.raises(UnknownLanguage, match="klingon"):
        scope_of(languages=["klingon"])
    with pytest.raises(BadGlob):
        scope_of(include=[""])
    with pytest.raises(BadGlob):
        scope_of(exclude=["../secret"])
