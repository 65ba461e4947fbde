"""One repository opened for searching: a journal, mapped vectors, words, and cached masks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.app.components import check_components
from codeintel_rev.indexing.prepare import content_hash
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.journal import Journal, JournalView, Snapshot
from codeintel_rev.io.journal_catalog import JournalCatalog
from codeintel_rev.io.registry import Repository
from codeintel_rev.io.vector_store import VectorReader
from codeintel_rev.retrieval.dense_searcher import DenseSearcher
from codeintel_rev.retrieval.hybrid import Channels
from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.text.background_idf import background_idf
from codeintel_rev.text.globs import GlobSet
from codeintel_rev.text.languages import canonical_language
from codeintel_rev.types import Scope

_MASKS_KEPT = 32
"""Scope masks remembered for one sequence."""


class _State(NamedTuple):
    """What stays the same until the next commit."""

    sequence: int
    live: NDArray[np.bool_]
    vectors: DenseSearcher
    masks: dict[bytes, NDArray[np.bool_]]


class RepositoryView(NamedTuple):
    """A repository inside one read transaction."""

    repository: Repository
    snapshot: Snapshot
    sequence: int
    live: NDArray[np.bool_]
    catalog: JournalCatalog
    channels: Channels

    def is_stale(self, uri: str, digest: str) -> bool:
        """Return whether the working file no longer holds the bytes that were indexed."""
        found = self.catalog.file(uri)
        path = Path(self.repository.root) / uri
        try:
            stat = path.stat()
            if found is not None and (stat.st_size, stat.st_mtime_ns) == found[0][2:4]:
                return False
            return content_hash(path.read_bytes()).hex() != digest
        except OSError:
            return True


class OpenRepository:
    """Long-lived read side of one repository; safe to share between threads."""

    def __init__(
        self, repository: Repository, folder: RepositoryFolder, dim: int, components: dict[str, str]
    ) -> None:
        """Open the journal; raises ``IndexForeign`` when other components wrote the index."""
        self.repository = repository
        self.folder = folder
        self._dim = dim
        self._journal = Journal(folder.journal)
        self._words: TantivySearcher | None = None
        self._state: _State | None = None
        self._lock = Lock()
        with self._journal.view() as view:
            check_components(repository.name, view.meta(), components)

    @contextmanager
    def view(self, scope: Scope | None = None) -> Iterator[RepositoryView | None]:
        """Open one consistent view, masked by ``scope``; ``None`` when nothing was indexed yet."""
        with self._journal.view() as journal:
            snapshot = journal.snapshot()
            if snapshot is None:
                yield None
                return
            state = self._current(journal, snapshot)
            mask = self._mask(state, journal, snapshot, scope)
            words = self._words
            assert words is not None
            catalog = JournalCatalog(journal, snapshot)
            channels = Channels(state.vectors, words, catalog, mask)
            yield RepositoryView(
                self.repository, snapshot, state.sequence, state.live, catalog, channels
            )

    def close(self) -> None:
        """Release files and connections."""
        self._journal.close()
        self._state = None
        self._words = None

    def _current(self, journal: JournalView, snapshot: Snapshot) -> _State:
        sequence = journal.sequence
        with self._lock:
            if self._state is None or self._state.sequence != sequence:
                # the words are reloaded after the transaction began, so that they hold at least
                # what it sees; rows beyond it are not in the mask
                if self._words is None:
                    self._words = TantivySearcher(self.folder.lexical(0), background_idf)
                else:
                    self._words.reload()
                live = journal.live(snapshot.id)
                vectors = VectorReader(
                    self.folder.vectors, journal.segments(), self._dim, len(live)
                )
                dense = DenseSearcher(vectors.blocks, vectors.rows)
                self._state = _State(sequence, live, dense, {})
            return self._state

    def _mask(
        self, state: _State, journal: JournalView, snapshot: Snapshot, scope: Scope | None
    ) -> NDArray[np.bool_]:
        if scope is None or not scope.filters_files:
            return state.live
        key = repr((scope.include_globs, scope.exclude_globs, scope.languages)).encode()
        mask = state.masks.get(key)
        if mask is None:
            mask = _scope_mask(journal, snapshot, scope, len(state.live))
            if len(state.masks) >= _MASKS_KEPT:
                state.masks.clear()
            state.masks[key] = mask
        return mask


def _scope_mask(
    journal: JournalView, snapshot: Snapshot, scope: Scope, rows: int
) -> NDArray[np.bool_]:
    globs = GlobSet(scope.include_globs or (), scope.exclude_globs or ())
    languages = {canonical_language(name) for name in scope.languages or ()}
    mask = np.zeros(rows, dtype=np.bool_)
    for path, lang, spans in journal.file_spans(snapshot.id):
        if (not languages or lang in languages) and globs.match(path):
            mask[spans[:, 0]] = True
    return mask


def size_on_disk(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  hot loop
            except OSError:
                continue
    return total
