"""A Lucene index of all that is indexed, to be used by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from codeintel_rev.errors import InvalidArgument
from codeintel_rev.indexing.rebuilding import lexical_document
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import own_process
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.journal_compaction import JournalCompaction
from codeintel_rev.io.registry import Registry
from codeintel_rev.retrieval.lucene_build import build_lucene
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument


def export(data_dir: Path, index_dir: Path) -> int:
    """Build an index of every chunk that a snapshot shows; its ids are those of search hits.

    What was at ``index_dir`` is replaced when the new index is whole. Returns the number of chunks.

    Raises ``InvalidArgument`` when another thing than an index is there, ``IndexMissing``, and
    ``Unavailable`` without the extra ``lucene``.
    """
    if _is_something_else(index_dir):
        raise InvalidArgument(
            f"{index_dir} is no Lucene index", hint="name another folder", value=str(index_dir)
        )
    made = index_dir.with_name(f".{index_dir.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    registry = Registry(data_dir)
    try:
        count = build_lucene(
            made,
            _documents(registry),
            own_process.python(),
            own_process.environment(),
            stored=True,
        )
    finally:
        registry.close()
    shutil.rmtree(index_dir, ignore_errors=True)
    made.rename(index_dir)
    return count


def _is_something_else(path: Path) -> bool:
    """Return whether there is something at ``path`` that is neither empty nor an index."""
    if not path.is_dir():
        return path.exists()
    return not any(path.glob("segments_*")) and any(path.iterdir())


def _documents(registry: Registry) -> Iterator[list[LexicalDocument]]:
    """Yield the live chunks of every repository, numbered by their ids."""
    for repository in registry.repositories():
        folder = RepositoryFolder(registry.folder(repository))
        live = _live_rows(folder)
        chunks = JournalCompaction(folder.journal)
        try:
            for batch in chunks.chunks(0, chunks.meta("reserved_rows")):
                shown = (chunk for chunk in batch if chunk.row in live)
                yield [lexical_document(chunk)._replace(row=chunk.id) for chunk in shown]
        finally:
            chunks.close()


def _live_rows(folder: RepositoryFolder) -> set[int]:
    journal = Journal(folder.journal)
    try:
        with journal.view() as view:
            bitmaps = [view.live(snapshot.id) for snapshot in view.snapshots()]
            return {row for bits in bitmaps for row in bits.nonzero()[0].tolist()}
    finally:
        journal.close()
