"""How large a regular expression is, each repetition written out."""

from __future__ import annotations

import pytest

from codeintel_rev.text.regex_size import regex_size


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("a{3}", 3),
        ("a{2,7}b", 8),
        ("a{2,}", 2),
        ("a{0}b", 1),
        ("(ab){10}", 20),
        ("((ab){10}c){5}", 105),
        ("(?:a{3}|b){4}", 20),
        ("(?P<name>a{3}){4}", 12),
        ("[]a]{9}", 9),
        ("[^]a]{9}", 9),
        ("[[:alpha:]x]{4}", 4),
        (r"[\]a]{4}", 4),
        (r"\.{5}", 5),
        (r"\p{Greek}{5}", 5),
        (r"\x{263a}{5}", 5),
        (r"\({900}", 900),
        ("a{,5}", 5),
        ("(a{1000}){1000}", 1_000_000),
    ],
)
def test_repetitions_are_written_out(pattern: str, size: int) -> None:
    assert regex_size(pattern) == size


def test_a_quotation_hides_no_repetition() -> None:
    assert regex_size(r"\Q[\E(ab){900}]") > 1_800
