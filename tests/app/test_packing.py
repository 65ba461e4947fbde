from __future__ import annotations

from collections.abc import Callable

import numpy as np

from codeintel_rev.app.packing import Packing
from codeintel_rev.io.vector_store import Segment
from codeintel_rev.ports import CandidateIndex
from codeintel_rev.retrieval.dense_searcher import DenseSearcher
from codeintel_rev.retrieval.packed_scan import PackedScan

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


class Overtaken:
    """A source that has nothing yet for whoever asks first, while the next is given the index."""

    def __init__(self, packed: CandidateIndex) -> None:
        self.packed = packed
        self.asked_times = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def asked(self) -> CandidateIndex | None:
        self.asked_times += 1
        if self.asked_times > 1:
            return self.packed
        self.meanwhile()
        return None


def test_a_search_that_asked_too_early_takes_nothing_from_the_others() -> None:
    vectors = made(1_000)
    source = Overtaken(PackedScan([vectors]))
    searcher = DenseSearcher([(0, vectors)], np.arange(1_000), source=source)
    mask, query = np.ones(1_000, dtype=np.bool_), vectors[3].astype(np.float32)
    source.meanwhile = lambda: searcher.search(query, 5, mask)
    assert searcher.search(query, 5, mask)[0][0] == 3
    searcher.search(query, 5, mask)
    assert source.asked_times == 2, "the index that the second was given is kept"
