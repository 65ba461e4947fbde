"""Which case counts, and the order, number and merging of what was found."""

from __future__ import annotations

import numpy as np
import pytest

from codeintel_rev.retrieval.exhaustive import Place, Texts, joined, line_pattern, ordered
from codeintel_rev.types import LineMatches


@pytest.mark.parametrize(
    ("query", "regex", "ignored"),
    [
        ("total", False, True),
        ("Total", False, False),
        ("élan", False, True),
        ("Élan", False, False),
        (r"\S+\W\D\B", False, False),
        (r"\S+\W\D\B\A", True, True),
        (r"\pL\p{Lu}\p{^Greek}[[:Alpha:]]", True, True),
        (r"(?P<Name>total)", True, True),
        (r"\x41", True, True),
        (r"\bTotal", True, False),
        (r"[A-Z]x", True, False),
    ],
)
def test_case_counts_when_the_query_has_a_capital_letter(
    query: str, regex: bool, ignored: bool
) -> None:
    assert line_pattern(query, regex=regex).ignore_case is ignored
    assert line_pattern(query, regex=regex, case_sensitive=True).ignore_case is False
    assert line_pattern(query, regex=regex, case_sensitive=False).ignore_case is True


def texts(*places: tuple[int, int, int, int]) -> Texts:
    columns = np.array(places, dtype=np.int64).reshape(-1, 4).T
    return Texts(*columns)


def matches(*lines: tuple[int, int, int]) -> LineMatches:
    rows, offsets, digests = np.array(lines, dtype=np.int64).reshape(-1, 3).T
    return LineMatches(rows, offsets, digests.astype(np.uint64))


def test_lines_come_by_path_and_line_and_are_counted_whole() -> None:
    where = texts((7, 0, 1, 10), (8, 0, 0, 5), (9, 0, 0, 1))
    found = ordered(where, matches((7, 2, 1), (7, 0, 2), (8, 1, 3), (9, 0, 4)), limit=3)
    assert found.total == 4
    assert [[(p.path, p.line) for p in group] for group in found.listed] == [
        [(0, 1)],
        [(0, 6)],
        [(1, 10)],
    ]


def test_one_line_of_several_snapshots_is_one() -> None:
    where = texts((7, 1, 0, 10), (7, 0, 0, 10), (8, 2, 0, 10))
    found = ordered(where, matches((7, 0, 5), (8, 0, 5)), limit=9)
    assert found.total == 1
    assert found.listed == [[Place(0, 0, 10, 7, 0), Place(1, 0, 10, 7, 0), Place(2, 0, 10, 8, 0)]]


def test_another_line_at_the_same_place_is_another() -> None:
    where = texts((7, 0, 0, 10), (8, 1, 0, 10))
    assert ordered(where, matches((7, 0, 5), (8, 0, 6)), limit=9).total == 2


def test_what_stands_nowhere_is_not_found() -> None:
    found = ordered(texts((7, 0, 0, 1)), matches((6, 0, 1), (8, 0, 1)), limit=9)
    assert found == (0, [])
    assert ordered(texts(), matches((6, 0, 1)), limit=9) == (0, [])


def test_matches_told_twice_count_once() -> None:
    both = joined([matches((7, 0, 5), (-2, 3, 6)), matches((7, 0, 5), (7, 1, 5))])
    assert sorted(zip(both.rows.tolist(), both.offsets.tolist(), strict=True)) == [
        (-2, 3),
        (7, 0),
        (7, 1),
    ]
