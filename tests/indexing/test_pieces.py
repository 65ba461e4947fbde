"""How rows are divided and joined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.indexing.lines import LINE_FLOOR, split_lines
from codeintel_rev.indexing.long_line import split_line
from codeintel_rev.indexing.pieces import divide

LINE = b"x" * LINE_FLOOR + b"\n"


def test_a_line_weighs_its_visible_bytes_a_floor_at_least_and_nothing_when_blank() -> None:
    lines = split_lines(b"\tx = 1\r\n \n" + b"y" * 20)
    assert [lines.weight(row, row + 1) for row in range(3)] == [LINE_FLOOR, 0, 20]
    assert [lines.is_blank(row) for row in range(3)] == [False, True, False]
    assert list(lines.starts) == [0, 8, 10, 30]


def test_a_run_within_the_limit_stays_whole() -> None:
    lines = split_lines(LINE * 4)
    assert list(divide([(0, 0), (2, 0)], 4, lines, 4 * LINE_FLOOR)) == [0]


@pytest.mark.parametrize(
    ("candidates", "starts"),
    [
        ([(0, 0), (4, 1), (5, 1), (6, 1)], [0, 5]),
        ([(0, 0), (4, 0), (5, 1), (6, 1)], [0, 4]),
        ([(0, 0), (1, 0), (5, 3), (9, 0)], [0, 5]),
        ([(0, 0)], [0, 5]),
    ],
    ids=["the middle", "the cheapest in reach", "no crumbs", "any line when syntax offers none"],
)
def test_a_large_run_is_divided_at_the_best_candidate(
    candidates: list[tuple[int, int]], starts: list[int]
) -> None:
    lines = split_lines(LINE * 10)
    assert list(divide(candidates, 10, lines, 8 * LINE_FLOOR)) == starts


def test_a_cut_falls_rather_behind_a_blank_line() -> None:
    lines = split_lines(LINE * 4 + b"\n" + LINE * 6)
    assert list(divide([(0, 0), (5, 1), (6, 1)], 11, lines, 8 * LINE_FLOOR)) == [0, 5]


@given(st.text(max_size=60), st.integers(1, 20))
def test_a_long_line_is_split_into_whole_characters(text: str, limit: int) -> None:
    data = text.encode("utf-8", "ignore")
    parts = split_line(data or b"x", limit)
    assert b"".join(parts) == (data or b"x")
    assert all(part.decode() and len(part) <= max(4, limit) for part in parts)
