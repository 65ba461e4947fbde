"""Foreign text reaches a terminal without its control characters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.cli.printable import printable, printable_line


def test_code_keeps_its_lines_and_tabs() -> None:
    assert printable("if x:\r\n\treturn é\n") == "if x:\n\treturn é\n"


def test_an_escape_sequence_is_shown_instead_of_obeyed() -> None:
    assert printable("\x1b]0;owned\x07") == "␛]0;owned␇"
    assert printable("\x9b31m") == "\\x9b31m"


def test_text_that_reorders_itself_is_shown_in_its_real_order() -> None:
    assert printable("a\u202eb") == "a\\u202eb"


def test_a_path_stays_on_its_line() -> None:
    assert printable_line("a\nb\tc.py") == "a␊b␉c.py"


@pytest.mark.parametrize("show", [printable, printable_line])
@given(text=st.text(st.characters(codec=None)))
def test_nothing_that_a_terminal_obeys_is_left(show: type[str], text: str) -> None:
    left = {unicodedata.category(char) for char in show(text).replace("\n", "").replace("\t", "")}
    assert not left & {"Cc", "Cs"}
