"""An index of very many vectors: what it finds, under scopes too, and what damage does to it."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.nearest_index import (
    INDEX_FILE,
    MANIFEST_FILE,
    FetchedRows,
    build_nearest,
    check_nearest,
    open_nearest,
)
from codeintel_rev.retrieval.dense_searcher import DenseSearcher
from codeintel_rev.retrieval.large_searcher import EXACT_BELOW

ROWS, DIM = 40_000, 32
NEWER = 300


def clustered(count: int, seed: int) -> np.ndarray:
    """Unit vectors around 200 centres, as code is around its topics."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(200, DIM))
    near = centres[generator.integers(200, size=count)]
    vectors = near + generator.normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return clustered(ROWS + NEWER, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("nearest")
    rows = FetchedRows(vectors.__getitem__, ROWS, DIM)
    build_nearest(path, rows, clustered(50, seed=2).astype(np.float32))
    return path


@pytest.fixture(scope="module")
def searcher(folder: Path, vectors: np.ndarray) -> DenseSearcher:
    """Over what the index knows and over rows that came after it."""
    blocks = [(0, vectors[:ROWS]), (ROWS, vectors[ROWS:])]
    return DenseSearcher(blocks, np.arange(len(vectors)), nearest=open_nearest(folder))


def recall(searcher: DenseSearcher, vectors: np.ndarray, mask: np.ndarray, k: int = 10) -> float:
    exact = DenseSearcher([(0, vectors)], np.arange(len(vectors)))
    shares = []
    for query in clustered(30, seed=3).astype(np.float32):
        wanted, _ = exact.search(query, k, mask)
        rows, scores = searcher.search(query, k, mask)
        assert mask[rows].all()
        assert (np.diff(scores) <= 0).all()
        shares.append(len(np.intersect1d(rows, wanted)) / len(wanted))
    return float(np.mean(shares))


def test_the_width_of_a_search_is_chosen_for_its_recall(folder: Path) -> None:
    manifest = check_nearest(folder)
    assert manifest is not None
    assert (manifest.primary_count, manifest.index_type) == (ROWS, "IVFRaBitQ")
    assert manifest.recall_at_10 is not None
    assert manifest.recall_at_10 >= 0.95
    assert 1 <= (manifest.nprobe or 0) <= (manifest.nlist or 0)


def test_most_of_the_nearest_are_found(searcher: DenseSearcher, vectors: np.ndarray) -> None:
    assert recall(searcher, vectors, np.ones(len(vectors), dtype=np.bool_)) >= 0.95


def test_rows_newer_than_the_index_are_all_compared(
    searcher: DenseSearcher, vectors: np.ndarray
) -> None:
    everything = np.ones(len(vectors), dtype=np.bool_)
    for row in range(ROWS, ROWS + 20):
        rows, _ = searcher.search(vectors[row].astype(np.float32), 3, everything)
        assert row in rows


def test_a_large_scope_is_searched_in_more_lists(
    searcher: DenseSearcher, vectors: np.ndarray
) -> None:
    mask = np.random.default_rng(4).random(len(vectors)) < 0.6
    assert np.count_nonzero(mask[:ROWS]) > EXACT_BELOW
    assert recall(searcher, vectors, mask) >= 0.95


@pytest.mark.parametrize("share", [0.3, 0.01, 0.0002])
def test_a_small_scope_is_searched_exactly(
    searcher: DenseSearcher, vectors: np.ndarray, share: float
) -> None:
    mask = np.random.default_rng(5).random(len(vectors)) < share
    assert recall(searcher, vectors, mask) == 1.0


def test_a_scope_of_nothing_finds_nothing(searcher: DenseSearcher, vectors: np.ndarray) -> None:
    nothing = np.zeros(len(vectors), dtype=np.bool_)
    rows, scores = searcher.search(vectors[0].astype(np.float32), 5, nothing)
    assert len(rows) == len(scores) == 0


def test_a_view_that_ends_before_the_index_sees_nothing_beyond(
    searcher: DenseSearcher, vectors: np.ndarray
) -> None:
    short = np.ones(ROWS - 5_000, dtype=np.bool_)
    rows, _ = searcher.search(vectors[ROWS - 1].astype(np.float32), 50, short)
    assert rows.max() < ROWS - 5_000


def test_the_same_vectors_give_the_same_index(
    folder: Path, vectors: np.ndarray, tmp_path: Path
) -> None:
    rows = FetchedRows(vectors.__getitem__, ROWS, DIM)
    build_nearest(tmp_path, rows, clustered(50, seed=2).astype(np.float32))
    assert (tmp_path / INDEX_FILE).read_bytes() == (folder / INDEX_FILE).read_bytes()


def test_searches_start_no_threads_to_read_ahead(folder: Path) -> None:
    nearest = open_nearest(folder)
    assert nearest is not None
    assert faiss.downcast_InvertedLists(nearest._index.invlists).prefetch_nthread == 0


def test_without_titles_the_width_is_chosen_on_stand_ins(
    vectors: np.ndarray, tmp_path: Path
) -> None:
    few = FetchedRows(vectors.__getitem__, 2_000, DIM)
    manifest = build_nearest(tmp_path, few, np.zeros((0, DIM), dtype=np.float32))
    assert manifest.nprobe is not None
    assert manifest.recall_at_10 is None


@pytest.mark.parametrize("name", [INDEX_FILE, MANIFEST_FILE])
def test_a_truncated_file_is_not_used_and_is_told(folder: Path, tmp_path: Path, name: str) -> None:
    for path in folder.iterdir():
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(data[: len(data) // 2] if path.name == name else data)
    assert open_nearest(tmp_path) is None
    with pytest.raises(IndexDamaged, match=name):
        check_nearest(tmp_path)


def test_a_flipped_bit_is_told(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        data = bytearray(path.read_bytes())
        if path.name == INDEX_FILE:
            data[len(data) // 2] ^= 1
        (tmp_path / path.name).write_bytes(data)
    with pytest.raises(IndexDamaged, match=INDEX_FILE):
        check_nearest(tmp_path)


def test_where_there_is_no_index_nothing_is_said(tmp_path: Path) -> None:
    assert open_nearest(tmp_path) is None
    assert check_nearest(tmp_path) is None
