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
        symbols: dict[int, Sequence[Symbol]] = {}
        sequences: dict[str, int] = {}
        generations: dict[str, int] = {}
        for opened in self._index.selected(scope):
            with opened.view(scope) as view:
                if view is None:
                    continue
                name = opened.repository.name
                sequences[name], generations[name] = view.sequence, view.generation
                for hit in hits:
                    if hit.repo == name and (found := _symbols(view, hit, present)) is not None:
                        symbols[hit.doc_id] = found
        return Lookup(symbols, sequences, generations)


def _symbols(view: RepositoryView, hit: SearchHit, present: bool) -> Sequence[Symbol] | None:
    """Return what is defined in a hit; ``None`` when neither record nor file hold it so.

    A file that was edited since, around the hit's text, is known by its bytes alone.
    """
    found = view.catalog.symbols(hit.uri, hit.content_hash, names_in(hit))
    if found is not None and not present:
        return found
    roots = [root for root in map(view.root_of, view.snapshots) if root is not None]
    if not roots:
        return found
    return (found or ()) if any(_is_present(root, hit) for root in roots) else None


def _is_present(root: Path, hit: SearchHit) -> bool:
    read = read_file(root, FileEntry(hit.uri, 0, 0))
    return read is not None and content_hash(read.data).hex() == hit.content_hash
