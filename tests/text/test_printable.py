from __future__ import annotations

import pytest

from codeintel_rev.text.printable import is_printable, with_escapes


@pytest.mark.parametrize(
    "text", ["", "a b", "é ü.py", "a\u3000b", "a\u00a0b", "\u0646\u200c\u0645"]
)
def test_what_people_write_is_printable(text: str) -> None:
    assert is_printable(text)
    assert with_escapes(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("gro\u202eyp", "gro\\u202eyp"),
        ("a\u2028b", "a\\u2028b"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_shows_nothing_of_itself_is_not(text: str, shown: str) -> None:
    assert not is_printable(text)
    assert with_escapes(text) == shown
