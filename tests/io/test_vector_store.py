from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.io.parquet_store import ChunksWriter, PlaceColumns, Shown, chunk_table
from codeintel_rev.io.vector_store import Segment, VectorReader, VectorWriter, is_whole, seal
from codeintel_rev.io.vector_sums import extended, pack_runs, unpack_runs

DIM = 4


def unit(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float16).reshape(-1, DIM)


def rows(reader: VectorReader, *wanted: int) -> list[list[float]]:
    return reader.gather(np.searchsorted(reader.rows, wanted)).tolist()


def place(numbers: np.ndarray) -> tuple[PlaceColumns, PlaceColumns]:
    lines = np.ones(len(numbers), dtype=np.int32)
    every = np.arange(len(numbers))
    first = PlaceColumns(every, lines, lines, np.zeros_like(every))
    return first, first.part(0, 0)


def sealed(folder: Path, end_row: int, kept: list[int], *blocks: np.ndarray) -> Segment:
    """Write a catalog of ``kept`` and return the segment of its vectors."""
    shown = [Shown("00", None, "worktree", ["worktree"])]
    chunks = [StoredChunk(row, row, "a.py", "python", "lines", "", "text", "") for row in kept]
    path = folder / "chunks.parquet"
    with ChunksWriter(path, "shop", DIM, shown, place, sequence=1, end_row=end_row) as writer:
        done = 0
        for block in blocks:
            writer.add(chunk_table(chunks[done : done + len(block)]), block)
            done += len(block)
        return seal(folder, path.name, DIM, np.array(kept), end_row, writer.finish())


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


def test_compacted_vectors_lie_in_the_catalog_and_are_found_by_row(tmp_path: Path) -> None:
    made = sealed(tmp_path, 9, [2, 5, 7], unit(*range(8)), unit(8, 9, 10, 11))
    VectorWriter(tmp_path / "c.f16", DIM, first_row=9).append(9, unit(1, 0, 0, 0))
    reader = VectorReader(tmp_path, [made, Segment("c.f16", 9)], DIM, rows=10)
    assert reader.rows.tolist() == [2, 5, 7, 9]
    assert rows(reader, 7, 9) == [[8, 9, 10, 11], [1, 0, 0, 0]]


def test_an_older_view_sees_only_its_own_rows(tmp_path: Path) -> None:
    made = sealed(tmp_path, 9, [2, 5, 7], unit(*range(12)))
    reader = VectorReader(tmp_path, [made], DIM, rows=6)
    assert reader.rows.tolist() == [2, 5]
    assert [len(block) for _, block in reader.blocks] == [2]


def test_vectors_fill_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codeintel_rev.io.parquet_store.GROUP_ROWS", 3)
    vectors = unit(*range(40))
    made = sealed(tmp_path, 10, list(range(10)), vectors[:2], vectors[2:9], vectors[9:])
    reader = VectorReader(tmp_path, [made], DIM, rows=10)
    assert [first for first, _ in reader.blocks] == [0, 3, 6, 9]
    assert rows(reader, *range(10)) == vectors.tolist()
    assert is_whole(tmp_path, made, DIM)


def test_one_flipped_bit_is_found_in_compacted_vectors(tmp_path: Path) -> None:
    made = sealed(tmp_path, 1, [0], unit(1, 0, 0, 0))
    path = tmp_path / made.file
    data = bytearray(path.read_bytes())
    data[data.index(unit(1, 0, 0, 0).tobytes())] ^= 1
    path.write_bytes(data)
    assert not is_whole(tmp_path, made, DIM)


def test_one_flipped_bit_is_found_before_compaction(tmp_path: Path) -> None:
    path = tmp_path / "a.f16"
    writer = VectorWriter(path, DIM, first_row=10)
    first, second, third = unit(1, 0, 0, 0), unit(0, 1, 0, 0), unit(0, 0, 1, 0)
    writer.append(10, first)
    writer.append(11, second)
    writer.append(13, third)  # row 12 was reserved by a writer that was killed
    runs = extended(extended(extended([], 0, first), 1, second), 3, third)
    assert [(run.first, run.end) for run in runs] == [(0, 2), (3, 4)]
    segment = Segment("a.f16", 10, checksum=pack_runs(runs))
    assert is_whole(tmp_path, segment, DIM)
    for byte, whole in ((0, False), (DIM * 2, False), (DIM * 4, True), (DIM * 6, False)):
        data = bytearray(path.read_bytes())
        data[byte] ^= 1
        path.write_bytes(data)
        assert is_whole(tmp_path, segment, DIM) == whole
        data[byte] ^= 1
        path.write_bytes(data)


def test_a_checksum_of_another_kind_says_nothing() -> None:
    assert unpack_runs(b"sixteen bytes...") == []
    assert unpack_runs(None) == []


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_map_is_named(tmp_path: Path, content: bytes | None) -> None:
    made = sealed(tmp_path, 9, [3], unit(1, 0, 0, 0))
    assert made.map_file is not None
    path = tmp_path / made.map_file
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"vectors\.map cannot be read"):
        VectorReader(tmp_path, [made], DIM, rows=9)


def test_a_system_may_know_only_one_way_to_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fdatasync")
    VectorWriter(tmp_path / "a.f16", DIM, first_row=0).append(0, unit(1, 0, 0, 0))
    assert (tmp_path / "a.f16").stat().st_size == 2 * DIM
