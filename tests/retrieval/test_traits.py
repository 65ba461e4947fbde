from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codeintel_rev.retrieval.traits import FLAGS, TraitMemory
from codeintel_rev.types import ChunkHead


class Heads:
    """Knows even rows, and counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def read(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        self.asked += rows
        return {
            row: ChunkHead(row, row + 1000, f"src/url_{row % 4}.py", "python", "class", "A")
            for row in rows
            if row % 2 == 0
        }


def test_a_row_is_read_once() -> None:
    memory, heads = TraitMemory(), Heads()
    for rows in ([4, 2], [2, 90, 4], [90]):
        traits = memory.of(np.array(rows), heads.read)
        assert traits.table["id"].tolist() == [row + 1000 for row in rows]
    assert heads.asked == [4, 2, 90]


def test_what_nobody_knows_is_not_known() -> None:
    traits = TraitMemory().of(np.array([2, 3, 7000]), Heads().read)
    assert traits.table["known"].tolist() == [True, False, True]


def test_chunks_of_one_file_share_its_name() -> None:
    traits = TraitMemory().of(np.array([2, 6, 4]), Heads().read)
    files = traits.table["file"].tolist()
    assert files[0] == files[1] != files[2]
    assert "url" in traits.file_words[files[0]]


def test_no_rows_have_no_traits() -> None:
    assert len(TraitMemory().of(np.zeros(0, dtype=np.int64), Heads().read).table) == 0


def test_tests_inside_the_file_that_they_test_are_tests() -> None:
    heads = {
        row: ChunkHead(row, row, "src/theme.rs", "rust", "function", symbol)
        for row, symbol in enumerate(["default_theme", "tests.default_theme", "contests.first"])
    }
    traits = TraitMemory().of(np.arange(3), lambda rows: {row: heads[row] for row in rows})
    is_test = traits.table["flags"][:, FLAGS.index("test_path")]
    assert is_test.tolist() == [False, True, False]
