from __future__ import annotations

import numpy as np

from codeintel_rev.app.packing import Packing
from codeintel_rev.io.vector_store import Segment
from codeintel_rev.retrieval.dense_searcher import DenseSearcher

SEGMENTS = [Segment("catalog/1/chunks.parquet", 0, 900, 900), Segment("vectors-900.f16", 900)]


def made(rows: int) -> np.ndarray:
    vectors = np.random.default_rng(8).standard_normal((rows, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def test_vectors_are_packed_once_after_some_searches() -> None:
    packing = Packing(1, SEGMENTS, [(0, made(1_000))], after=3)
    assert [packing.asked() for _ in range(2)] == [None, None]
    packing.asked()
    packing.close()
    packed = packing.asked()
    assert packed is not None
    assert packed.count == 1_000
    assert packing.asked() is packed


def test_it_serves_as_long_as_vectors_are_only_added() -> None:
    packing = Packing(1, SEGMENTS, [(0, made(1_000))])
    appended = [SEGMENTS[0], SEGMENTS[1]._replace(checksum=b"more"), Segment("later.f16", 1_200)]
    assert packing.covers(1, appended)
    assert not packing.covers(2, appended), "compaction has moved them"
    assert not packing.covers(1, SEGMENTS[:1]), "some are gone"
    packing.close()


def test_searches_find_the_same_before_and_after_and_what_came_later() -> None:
    vectors = made(1_200)
    packing = Packing(1, SEGMENTS, [(0, vectors[:1_000])], after=1)
    blocks, mask = [(0, vectors[:1_000]), (1_000, vectors[1_000:])], np.ones(1_200, dtype=np.bool_)
    searcher = DenseSearcher(blocks, np.arange(1_200), source=packing)
    queries = vectors[[3, 999, 1_100]].astype(np.float32)
    before = [searcher.search(query, 5, mask)[0].tolist() for query in queries]
    packing.close()
    assert packing.asked() is not None
    assert [searcher.search(query, 5, mask)[0].tolist() for query in queries] == before
