from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.retrieval.verbatim import verbatim

TEXTS = {
    1: 'raise ValueError("no such file",\n    "or folder")',
    2: "def open_it(\n    path: Path\n) -> None:",
    3: "log.warning('The connection to %s was closed by the other side', host)",
    4: "naïve: folder, no such file",
    5: "open_it(path)",
}


class Texts:
    def texts(self, rows: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        yield from ((row, TEXTS[row].encode()) for row in sorted(rows))


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ('who says "no such file"?', [4, 1]),
        ("def open_it( path: Path ) -> None:", [2]),
        ("def open_it( folder: Path ) -> None:", []),
        ("the connection to db7 was CLOSED by the other side", [3]),
        ("how is a connection closed by the other side?", []),
        ("open_it", []),
    ],
)
def test_rows_that_hold_what_is_quoted_stay_best_first(query: str, rows: list[int]) -> None:
    assert verbatim(parse_query(query), [5, 4, 3, 2, 1], Texts()) == rows
