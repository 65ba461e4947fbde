"""Files of many shapes and what becomes of them."""

from __future__ import annotations

from codeintel_rev.indexing.chunker import chunk_source


def test_smoke() -> None:
    assert chunk_source(b"", "python").chunks == []
