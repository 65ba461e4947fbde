from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.retrieval.impact_index import ROWS, ImpactIndex, write_impacts
from codeintel_rev.types import SparseVector


def vector(**weights: float) -> SparseVector:
    terms = sorted((int(name[1:]), weight) for name, weight in weights.items())
    return SparseVector(
        np.array([term for term, _ in terms], dtype=np.int32),
        np.array([weight for _, weight in terms], dtype=np.float32),
    )


VECTORS = [
    (0, vector(t1=1.0, t2=0.5)),
    (2, vector(t2=2.0)),
    (3, vector()),
    (5, vector(t1=1.0, t9=4.0)),
]


@pytest.fixture
def index(tmp_path: Path) -> ImpactIndex:
    assert write_impacts(tmp_path / "impacts", VECTORS) == (len(VECTORS), 5)
    return ImpactIndex(tmp_path / "impacts")


def found(index: ImpactIndex, query: SparseVector, mask: str = "111111", k: int = 10) -> list:
    bits = np.array([bit == "1" for bit in mask])
    rows, scores = index.search(query, k, bits)
    return list(zip(rows.tolist(), scores.tolist(), strict=True))


def test_rows_come_by_their_inner_product(index: ImpactIndex) -> None:
    assert found(index, vector(t1=1.0, t2=1.0)) == [(2, 2.0), (0, 1.5), (5, 1.0)]
    assert found(index, vector(t1=3.0)) == [(0, 3.0), (5, 3.0)]
    assert found(index, vector(t1=3.0), k=1) == [(0, 3.0)]


def test_rows_outside_the_mask_are_not_seen(index: ImpactIndex) -> None:
    assert found(index, vector(t1=1.0), mask="011111") == [(5, 1.0)]
    assert found(index, vector(t1=1.0), mask="111") == [(0, 1.0)]


@pytest.mark.parametrize("query", [vector(), vector(t3=1.0), vector(t500=1.0)])
def test_unknown_terms_find_nothing(index: ImpactIndex, query: SparseVector) -> None:
    assert found(index, query) == []


def test_the_result_is_that_of_the_dense_product(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    dense = rng.random((40, 30)).astype(np.float16).astype(np.float32)
    dense[rng.random(dense.shape) < 0.8] = 0.0

    def sparse(row: np.ndarray) -> SparseVector:
        terms = np.flatnonzero(row).astype(np.int32)
        return SparseVector(terms, row[terms])

    write_impacts(tmp_path / "impacts", ((at, sparse(row)) for at, row in enumerate(dense)))
    query = sparse(dense[7])
    products = dense @ dense[7]
    for row, score in found(ImpactIndex(tmp_path / "impacts"), query, mask="1" * 40, k=40):
        assert score == pytest.approx(float(products[row]), rel=1e-5)


def test_no_vectors_make_an_empty_index(tmp_path: Path) -> None:
    assert write_impacts(tmp_path / "impacts", []) == (0, 0)
    assert found(ImpactIndex(tmp_path / "impacts"), vector(t1=1.0)) == []


def test_damaged_files_are_told(tmp_path: Path, index: ImpactIndex) -> None:
    np.save(tmp_path / "impacts" / ROWS, np.zeros(2, dtype=np.int32))
    with pytest.raises(IndexDamaged, match="different lengths"):
        ImpactIndex(tmp_path / "impacts")
    (tmp_path / "impacts" / ROWS).unlink()
    with pytest.raises(IndexDamaged, match="cannot be read"):
        ImpactIndex(tmp_path / "impacts")
