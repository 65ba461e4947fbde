"""The places that answers cite, looked up in the journal and, when asked, in the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codeintel_rev.answer.context import Lookup
from codeintel_rev.answer.entries import names_in
from codeintel_rev.indexing.file_source import read_file
from codeintel_rev.indexing.prepare import content_hash
from codeintel_rev.types import FileEntry, Scope, SearchHit, Symbol

if TYPE_CHECKING:
    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.app.repository import RepositoryView


class JournalSources:
    """What the journals of an index record of hits (``SourceRecord``)."""

    def __init__(self, index: LocalIndex) -> None:
        self._index = index

    def look_up(self, hits: Sequence[SearchHit], scope: Scope | None, *, present: bool) -> Lookup:
        """Return what is recorded of the hits; with ``present`` their files are read as well."""
        standing: set[int] = set()
        symbols: dict[int, Sequence[Symbol]] = {}
        sequences: dict[str, int] = {}
        generations: dict[str, int] = {}
        for opened in self._index.selected(scope):
            with opened.view(scope) as view:
                if view is None:
                    continue
                name = opened.repository.name
                sequences[name], generations[name] = view.sequence, view.generation
                for hit in (hit for hit in hits if hit.repo == name):
                    recorded = view.catalog.symbols(hit.uri, hit.content_hash, names_in(hit))
                    if recorded is not None:
                        symbols[hit.doc_id] = recorded
                    if _stands(view, hit, recorded=recorded is not None, present=present):
                        standing.add(hit.doc_id)
        return Lookup(frozenset(standing), symbols, sequences, generations)


def _stands(view: RepositoryView, hit: SearchHit, *, recorded: bool, present: bool) -> bool:
    """Return whether a hit is where it says it is.

    The record vouches for its own versions; a file that was edited since, around the hit's text, is
    known by its bytes alone, and any file is when it is to be checked as it is at ``present``.
    """
    if recorded and not present:
        return True
    roots = [root for root in map(view.root_of, view.snapshots) if root is not None]
    return any(_is_present(root, hit) for root in roots) if roots else recorded


def _is_present(root: Path, hit: SearchHit) -> bool:
    read = read_file(root, FileEntry(hit.uri, 0, 0))
    return read is not None and content_hash(read.data).hex() == hit.content_hash
