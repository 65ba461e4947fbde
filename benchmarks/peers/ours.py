"""This program, as one of the searchers that are compared."""

from __future__ import annotations

from pathlib import Path

from jobs import LIMIT, Place, Search, folder_bytes, run

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.requests import plain_text


def open_root(root: str, scratch: Path) -> tuple[Search, object]:
    """Index a root from nothing and open it."""
    index_repositories([root], data_dir=scratch)
    index = open_index(data_dir=scratch, refresh=False)

    def search(query: str) -> list[Place]:
        hits = index.search(plain_text(query), limit=LIMIT).hits
        return [(hit.uri, hit.start_line, hit.end_line) for hit in hits]

    return search, lambda: folder_bytes(scratch)


if __name__ == "__main__":
    run(open_root)
