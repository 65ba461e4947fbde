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
from codeintel_rev.errors import IndexDamaged
from codeintel_rev.indexing.prepare import content_hash
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.generation_lock import GenerationLock
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


_ATTEMPTS = 10
"""Views that are tried while compaction takes generations away; one retry is already rare."""


class _SupersededError(Exception):
    """Raised when compaction deleted the generation of a view before it could be opened."""


class _Generation(NamedTuple):
    """One compaction's files, held open."""

    number: int
    words: TantivySearcher
    lock: GenerationLock

    @classmethod
    def open(cls, folder: RepositoryFolder, number: int) -> _Generation:
        """Open generation ``number``; raises ``_SupersededError`` when it is gone."""
        lock = GenerationLock.share(folder.generation_lock(number))
        if lock is None:
            raise _SupersededError
        return cls(number, TantivySearcher(folder.lexical(number), background_idf), lock)


class _State(NamedTuple):
    """What stays the same until the next commit."""

    sequence: int
    generation: _Generation
    live: NDArray[np.bool_]
    vectors: DenseSearcher
    masks: dict[bytes, NDArray[np.bool_]]


class RepositoryView(NamedTuple):
    """A repository inside one read transaction."""

    repository: Repository
    snapshot: Snapshot
    sequence: int
    generation: int
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
        self._state: _State | None = None
        self._lock = Lock()
        with self._journal.view() as view:
            check_components(repository.name, view.meta(), components)

    @contextmanager
    def view(self, scope: Scope | None = None) -> Iterator[RepositoryView | None]:
        """Open one consistent view, masked by ``scope``; ``None`` when nothing was indexed yet."""
        for _ in range(_ATTEMPTS):
            with self._journal.view() as journal:
                snapshot = journal.snapshot()
                if snapshot is None:
                    yield None
                    return
                try:
                    state = self._current(journal, snapshot)
                except _SupersededError:
                    continue
                yield self._view(state, journal, snapshot, scope)
                return
        raise IndexDamaged(
            f"the index of {self.repository.name} lacks the files of its last compaction",
            hint="run `codeintel doctor --repair`",
            value=self.repository.name,
        )

    def close(self) -> None:
        """Release files and connections."""
        self._journal.close()
        if self._state is not None:
            self._state.generation.lock.close()
            self._state = None

    def _view(
        self, state: _State, journal: JournalView, snapshot: Snapshot, scope: Scope | None
    ) -> RepositoryView:
        mask = self._mask(state, journal, snapshot, scope)
        catalog = JournalCatalog(journal, snapshot)
        channels = Channels(state.vectors, state.generation.words, catalog, mask)
        return RepositoryView(
            repository=self.repository,
            snapshot=snapshot,
            sequence=state.sequence,
            generation=state.generation.number,
            live=state.live,
            catalog=catalog,
            channels=channels,
        )

    def _current(self, journal: JournalView, snapshot: Snapshot) -> _State:
        sequence = journal.sequence
        with self._lock:
            if self._state is None or self._state.sequence != sequence:
                generation = self._generation(journal.generation)
                live = journal.live(snapshot.id)
                vectors = VectorReader(
                    self.folder.vectors, journal.segments(), self._dim, len(live)
                )
                dense = DenseSearcher(vectors.blocks, vectors.rows)
                self._state = _State(sequence, generation, live, dense, {})
            return self._state

    def _generation(self, number: int) -> _Generation:
        """Return the generation with at least the words that the present transaction sees.

        It is opened or reloaded after the transaction began; rows beyond it are not in the mask.
        """
        if self._state is None or self._state.generation.number != number:
            return _Generation.open(self.folder, number)
        self._state.generation.words.reload()
        return self._state.generation

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
