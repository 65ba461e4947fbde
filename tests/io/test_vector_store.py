from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.vector_store import (
    Segment,
    SegmentBuilder,
    VectorReader,
    VectorWriter,
    checksum,
)

DIM = 4


def unit(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(-1, DIM)


def rows(reader: VectorReader, *wanted: int) -> list[list[float]]:
    return reader.gather(np.searchsorted(reader.rows, wanted)).tolist()


def sealed(folder: Path, end_row: int, kept: list[int], *blocks: np.ndarray) -> Segment:
    with SegmentBuilder(folder, "b.f16", end_row) as builder:
        done = 0
        for block in blocks:
            builder.add(np.array(kept[done : done + len(block)]), block)
            done += len(block)
        return builder.finish()


def test_rows_written_in_two_commits_are_read_by_row(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path / "a.f16", DIM, first_row=0)
    writer.append(0, unit(1, 0, 0, 0, 0, 1, 0, 0))
    writer.append(2, unit(0, 0, 1, 0))
    reader = VectorReader(tmp_path, [Segment("a.f16", 0)], DIM, rows=3)
    assert rows(reader, 2, 0) == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_rows_burned_by_a_killed_writer_leave_a_hole(tmp_path: Path) -> None:
    writer = VectorWriter(tmp_path / "a.f16", DIM, first_row=0)
    writer.append(0, unit(1, 0, 0, 0))
    writer.append(3, unit(0, 1, 0, 0))
    reader = VectorReader(tmp_path, [Segment("a.f16", 0)], DIM, rows=4)
    assert rows(reader, 3, 1) == [[0, 1, 0, 0], [0, 0, 0, 0]]


def test_segments_follow_each_other(tmp_path: Path) -> None:
    VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, unit(1, 0, 0, 0))
    VectorWriter(tmp_path / "b.f16", DIM, first_row=1).append(1, unit(0, 1, 0, 0))
    reader = VectorReader(tmp_path, [Segment("a.f16", 0, 1, 1), Segment("b.f16", 1)], DIM, rows=2)
    assert rows(reader, 1, 0) == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, unit(1, 0, 0, 0))
    with pytest.raises(IndexDamaged, match=r"a\.f16 holds 8 bytes, its rows need 16"):
        VectorReader(tmp_path, [Segment("a.f16", 0)], DIM, rows=2)


def test_vectors_of_another_dimension_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected"):
        VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, np.zeros((1, 3)))


def test_a_compacted_segment_finds_rows_by_their_number(tmp_path: Path) -> None:
    made = sealed(tmp_path, 9, [2, 5, 7], unit(*range(8)), unit(8, 9, 10, 11))
    VectorWriter(tmp_path / "c.f16", DIM, first_row=9).append(9, unit(1, 0, 0, 0))
    reader = VectorReader(tmp_path, [made, Segment("c.f16", 9)], DIM, rows=10)
    assert reader.rows.tolist() == [2, 5, 7, 9]
    assert rows(reader, 7, 9) == [[8, 9, 10, 11], [1, 0, 0, 0]]
    assert VectorReader(tmp_path, [made], DIM, rows=6).rows.tolist() == [2, 5]


def test_a_compacted_segment_without_gaps_needs_no_row_numbers(tmp_path: Path) -> None:
    made = sealed(tmp_path, 1, [0], unit(1, 0, 0, 0))
    assert [path.name for path in tmp_path.iterdir()] == ["b.f16"]
    assert VectorReader(tmp_path, [made], DIM, rows=1).rows.tolist() == [0]


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    made = sealed(tmp_path, 1, [0], unit(1, 0, 0, 0))
    assert checksum(tmp_path / "b.f16", DIM * 2) == made.checksum
    (tmp_path / "b.f16").write_bytes(b"\1" + (tmp_path / "b.f16").read_bytes()[1:])
    assert checksum(tmp_path / "b.f16", DIM * 2) != made.checksum


def test_a_missing_file_of_row_numbers_is_named(tmp_path: Path) -> None:
    made = sealed(tmp_path, 9, [3], unit(1, 0, 0, 0))
    (tmp_path / "b.rows").unlink()
    with pytest.raises(IndexDamaged, match=r"b\.rows holds 0 bytes"):
        VectorReader(tmp_path, [made], DIM, rows=9)
