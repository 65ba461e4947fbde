"""Taking rows out of a lexical index as if they had never been in it.

tantivy only marks a document as deleted: its words stay in the frequencies and lengths that scores
are made of until its segment is merged with others. Its library merges when at least eight segments
are of one level, and a level ends where a segment is a good deal smaller than the first, the one
with the most documents, deleted ones counted. So a few documents are written again, each into a
segment of its own, and last a segment that is larger than all and nearly empty: all of them are
merged into one, which holds nothing of the deleted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

from codeintel_rev.retrieval.lexical_files import segment_sizes
from codeintel_rev.retrieval.lexical_schema import ROW, open_index, reading
from codeintel_rev.retrieval.tantivy_writer import BULK_HEAP_BYTES, LexicalDocument, as_document

SPARE_DOCUMENTS = 8
"""Segments that are merged; fewer documents than these are not worth it."""

_WHOLE_SHARE = 0.75
"""An index whose largest segment holds this share of it is as good as one segment. Of seven equal
ones a search takes twice the time: what leads in one does not shorten the search of the others."""

_FILLING = -1
"""The row of documents that exist only to be deleted."""


def link(source: Path, target: Path) -> None:
    """Make ``target`` the same index as ``source``: tantivy never changes a file that it wrote.

    The caller sees to it that nobody writes to ``source`` meanwhile.
    """
    target.mkdir(parents=True)
    for file in source.iterdir():
        if file.suffix == ".lock":
            continue
        try:
            os.link(file, target / file.name)
        except OSError:  # a file system without hard links
            shutil.copyfile(file, target / file.name)


def is_scattered(folder: Path) -> bool:
    """Return whether ``remove_rows`` makes searches faster; raises ``IndexDamaged``."""
    sizes = segment_sizes(folder)
    return max(sizes, default=0) < _WHOLE_SHARE * sum(sizes)


def remove_rows(folder: Path, gone: Iterable[int], spare: Sequence[LexicalDocument]) -> None:
    """Remove the rows ``gone``, if any, and leave one segment; ``spare`` are ``SPARE_DOCUMENTS`` that stay.

    Raises ``IndexDamaged`` when the index cannot be read.
    """
    writer = open_index(folder).writer(BULK_HEAP_BYTES, 1)
    with reading(folder):
        for row in [*gone, *(document.row for document in spare)]:
            writer.delete_documents_by_term(ROW, row)
        alone = SPARE_DOCUMENTS - 1 - len(segment_sizes(folder))
        for at, document in enumerate(spare):
            writer.add_document(as_document(document))
            if at < alone:
                writer.commit()
        filling = tantivy.Document()
        filling.add_integer(ROW, _FILLING)
        for _ in range(max(segment_sizes(folder)) + 1):
            writer.add_document(filling)
        writer.delete_documents_by_term(ROW, _FILLING)
        writer.commit()
        writer.wait_merging_threads()
