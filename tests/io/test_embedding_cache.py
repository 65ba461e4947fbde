"""Vectors of a model server outlive whoever asked for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codeintel_rev.io.embedding_cache import EmbeddingCache, key_of

DIM = 4
ROW_BYTES = 2 * DIM + 64


def vectors(*texts: str) -> dict[bytes, np.ndarray]:
    return {key_of(text): np.full(DIM, len(text), dtype=np.float16) for text in texts}


def opened(folder: Path, limit_bytes: int = 1 << 20) -> EmbeddingCache:
    return EmbeddingCache(folder / "kept" / "m.sqlite", DIM, limit_bytes)


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.put(vectors("a", "bb"))
    keys = [key_of(text) for text in ("bb", "unknown", "a")]
    found = second.get(keys)
    assert set(found) == {keys[0], keys[2]}
    assert found[keys[0]].tolist() == [2.0] * DIM
    first.close()
    second.close()


def test_more_keys_than_one_statement_takes_are_found(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    many = vectors(*(f"text {n}" for n in range(1_234)))
    cache.put(many)
    assert set(cache.get(list(many))) == set(many)
    cache.close()


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(100)]
    cache = opened(tmp_path)
    for text in texts:
        cache.put(vectors(text))
    cache.close()
    cache = opened(tmp_path, limit_bytes=40 * ROW_BYTES)
    kept = set(cache.get([key_of(text) for text in texts]))
    assert kept == {key_of(text) for text in texts[-30:]}
    cache.close()


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "m.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 100)
    cache = opened(tmp_path)
    cache.put(vectors("a"))
    assert cache.get([key_of("a")])
    cache.close()


def test_what_cannot_be_read_or_kept_is_made_again(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    many = vectors(*(f"text {n}" for n in range(2_000)))
    cache.put(many)
    cache.close()
    cache = opened(tmp_path)
    file = tmp_path / "kept" / "m.sqlite"
    size = file.stat().st_size
    with file.open("r+b") as data:
        data.seek(4096)
        data.write(b"\xff" * (size - 4096))
    assert cache.get(list(many)) == {}
    cache.put(vectors("another"))
    cache.close()
