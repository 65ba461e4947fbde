from __future__ import annotations

from pathlib import Path

import numpy as np

from codeintel_rev.io.vector_cache import VectorCache


def test_vectors_are_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "made" / "vectors.sqlite"
    cache = VectorCache(path)
    vectors = {number: np.full(4, number, dtype=np.float32) for number in range(1_200)}
    cache.put(vectors)
    cache.put({3: np.zeros(4, dtype=np.float32)})  # known: nothing to do
    cache.close()
    again = VectorCache(path)
    found = again.get([3, 1_199, 5_000, (1 << 63) - 1])
    again.close()
    assert {key: vector.tolist() for key, vector in found.items()} == {
        3: [3.0] * 4,
        1_199: [1_199.0] * 4,
    }


def test_where_nothing_can_be_written_vectors_are_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = VectorCache(tmp_path / "file" / "vectors.sqlite")
    cache.put({1: np.ones(2, dtype=np.float32)})
    assert list(cache.get([1, 2])) == [1]
    cache.close()
