"""semble 0.7.0, in an environment of its own; ``SEMBLE_MODEL_NAME`` names its model."""

from __future__ import annotations

from pathlib import Path

from jobs import LIMIT, Place, Search, folder_bytes, run
from semble import SembleIndex


def open_root(root: str, scratch: Path) -> tuple[Search, object]:
    """Index a root in memory; its size is that of what ``save`` writes."""
    index = SembleIndex.from_path(root)

    def search(query: str) -> list[Place]:
        chunks = [found.chunk for found in index.search(query, top_k=LIMIT)]
        return [(chunk.file_path, chunk.start_line, chunk.end_line) for chunk in chunks]

    def size() -> int:
        index.save(scratch)
        return folder_bytes(scratch)

    return search, size


if __name__ == "__main__":
    run(open_root)
