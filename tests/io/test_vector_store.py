from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.vector_store import VectorReader, VectorWriter

DIM = 4


def unit(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(-1, DIM)


def rows(reader: VectorReader, *wanted: int) -> list[list[float]]:
    stacked = np.concatenate([block for _, block in reader.blocks])
    return stacked[list(wanted)].tolist()


def test_rows_written_in_two_commits_are_read_by_row(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path / "a.f16", DIM, first_row=0)
    writer.append(0, unit(1, 0, 0, 0, 0, 1, 0, 0))
    writer.append(2, unit(0, 0, 1, 0))
    reader = VectorReader(tmp_path, [("a.f16", 0)], DIM, rows=3)
    assert rows(reader, 2, 0) == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_rows_burned_by_a_killed_writer_leave_a_hole(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path / "a.f16", DIM, first_row=0)
    writer.append(0, unit(1, 0, 0, 0))
    writer.append(3, unit(0, 1, 0, 0))
    reader = VectorReader(tmp_path, [("a.f16", 0)], DIM, rows=4)
    assert rows(reader, 3, 1) == [[0, 1, 0, 0], [0, 0, 0, 0]]


def test_segments_follow_each_other(tmp_path: Path) -> None:
    VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, unit(1, 0, 0, 0))
    VectorWriter(tmp_path / "b.f16", DIM, first_row=1).append(1, unit(0, 1, 0, 0))
    reader = VectorReader(tmp_path, [("a.f16", 0), ("b.f16", 1)], DIM, rows=2)
    assert rows(reader, 1, 0) == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, unit(1, 0, 0, 0))
    with pytest.raises(IndexDamaged, match=r"a\.f16 holds 8 bytes, its rows need 16"):
        VectorReader(tmp_path, [("a.f16", 0)], DIM, rows=2)


def test_vectors_of_another_dimension_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected"):
        VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, np.zeros((1, 3)))
