"""One repository opened for searching: a journal, mapped vectors, words, and cached masks."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.app.components import check_components, outdated
from codeintel_rev.app.file_filter import FileFilter
from codeintel_rev.app.packing import PACKED_FROM, Packing
from codeintel_rev.app.snapshot_choice import choose, label, named, names_snapshots
from codeintel_rev.config.settings import Bm25Config
from codeintel_rev.errors import IndexDamaged, IndexForeign, IndexUnusable, NotFound, Unavailable
from codeintel_rev.indexing.generation_words import open_words
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.generation_lock import GenerationLock
from codeintel_rev.io.git import locate
from codeintel_rev.io.git_worktrees import is_worktree, ref_of_root, tree_roots, worktree_ref
from codeintel_rev.io.journal import Journal, JournalView, Snapshot
from codeintel_rev.io.journal_catalog import JournalCatalog
from codeintel_rev.io.nearest_index import NearestIndex, open_nearest
from codeintel_rev.io.registry import Repository
from codeintel_rev.io.vector_store import VectorReader
from codeintel_rev.ports import SparseChannel, SparseEncoder
from codeintel_rev.retrieval.absent_index import AbsentIndex
from codeintel_rev.retrieval.channels import Channels
from codeintel_rev.retrieval.dense_searcher import DenseSearcher
from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.retrieval.traits import TraitMemory
from codeintel_rev.types import Scope

if TYPE_CHECKING:
    from codeintel_rev.retrieval.lucene_words import LuceneWords

_Key = TypeVar("_Key")

_log = logging.getLogger(__name__)

_MASKS_KEPT = 32
"""Scope masks remembered for one sequence."""


_ATTEMPTS = 10
"""Views that are tried while compaction takes generations away; one retry is already rare."""


class _SupersededError(Exception):
    """Raised when compaction deleted the generation of a view before it could be opened."""


class _Generation(NamedTuple):
    """One compaction's files, held open."""

    number: int
    words: TantivySearcher | LuceneWords | AbsentIndex
    nearest: NearestIndex | None
    """Where there are very many vectors."""
    lock: GenerationLock
    sparse: SparseChannel | None

    @classmethod
    def open(
        cls,
        folder: RepositoryFolder,
        number: int,
        bm25: Bm25Config,
        encoder: SparseEncoder | None,
    ) -> _Generation:
        """Open generation ``number``; raises ``_SupersededError`` when it is gone."""
        lock = GenerationLock.share(folder.generation_lock(number))
        if lock is None:
            raise _SupersededError
        nearest = open_nearest(folder.catalog(number))
        sparse = None if encoder is None else _open_splade(folder.catalog(number), encoder)
        try:
            words = open_words(folder, number, bm25)
        except IndexDamaged as error:
            _tell(error)
            return cls(number, AbsentIndex(), nearest, lock, sparse)
        return cls(number, words, nearest, lock, sparse)


class _State(NamedTuple):
    """What stays the same until the next commit."""

    sequence: int
    generation: _Generation
    live: dict[tuple[int, ...], NDArray[np.bool_]]
    """Rows of each set of snapshots that was asked for."""
    vectors: DenseSearcher | AbsentIndex
    masks: dict[bytes, NDArray[np.bool_]]
    roots: dict[str, Path | None]
    """Folders of the snapshots that were asked for, by ref."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What cannot be used, and therefore is not searched."""
        parts = {"faiss_error": self.vectors, "bm25_error": self.generation.words}
        return tuple(word for word, part in parts.items() if isinstance(part, AbsentIndex))


class RepositoryView(NamedTuple):
    """A repository inside one read transaction."""

    repository: Repository
    snapshots: list[Snapshot]
    """What is searched, one snapshot or several together."""
    sequence: int
    generation: int
    live: NDArray[np.bool_]
    catalog: JournalCatalog
    channels: Channels
    limits: tuple[str, ...]
    """What cannot be used, and therefore is not searched."""
    roots: dict[str, Path | None]
    """What ``root_of`` found before."""

    @property
    def snapshot(self) -> Snapshot:
        """The first of the snapshots."""
        return self.snapshots[0]

    def root_of(self, snapshot: Snapshot) -> Path | None:
        """Return the folder that a snapshot was read from; ``None`` when it is of a commit."""
        if snapshot.ref not in self.roots:
            self.roots[snapshot.ref] = tree_root(self.repository, snapshot.ref)
        return self.roots[snapshot.ref]


def tree_root(repository: Repository, ref: str) -> Path | None:
    """Return the folder of a work tree's snapshot; ``None`` for a commit and a tree that is gone."""
    if not is_worktree(ref):
        return None
    root = Path(repository.root)
    return root if ref == ref_of_root(root) else tree_roots(root, repository.identity).get(ref)


class OpenRepository:
    """Long-lived read side of one repository; safe to share between threads."""

    def __init__(
        self,
        repository: Repository,
        folder: RepositoryFolder,
        dim: int,
        components: dict[str, str],
        bm25: Bm25Config,
        sparse: SparseEncoder | None = None,
    ) -> None:
        """Open the journal; raises ``IndexForeign`` when newer components wrote the index."""
        self.repository = repository
        self.folder = folder
        self._dim = dim
        self._bm25 = bm25
        self._sparse = sparse
        self._journal = Journal(folder.journal)
        self._traits = TraitMemory()
        self._state: _State | None = None
        self._packing: Packing | None = None
        self._lock = Lock()
        self._components = components
        with self._journal.view() as view:
            outdated(repository.name, view.meta(), components)

    @contextmanager
    def view(self, scope: Scope | None = None) -> Iterator[RepositoryView | None]:
        """Open one consistent view of what ``scope`` selects.

        ``None`` when nothing was indexed yet, when no snapshot is in scope, and when the
        repository was removed meanwhile.
        """
        for _ in range(_ATTEMPTS):
            with self._journal.view() as journal:
                snapshots = self._chosen(journal, scope)
                if not snapshots:
                    yield None
                    return
                try:
                    state = self._current(journal)
                except _SupersededError:
                    continue
                yield self._view(state, journal, snapshots, scope)
                return
        if not self.folder.journal.exists():  # removed since it was opened
            yield None
            return
        raise IndexDamaged(
            f"the index of {self.repository.name} lacks the files of its last compaction",
            hint="run `codeintel doctor --repair`",
            value=self.repository.name,
        )

    def sequence(self) -> int:
        """Return the number of the last commit."""
        with self._journal.view() as journal:
            return journal.sequence

    def close(self) -> None:
        """Release files and connections."""
        if self._packing is not None:
            self._packing.close()
        self._journal.close()
        if self._state is not None:
            self._state.generation.lock.close()
            self._state = None

    def words_health(self) -> str:
        """Return what serves the words; raises ``Unavailable`` when it is not what is wanted."""
        with self.view():
            words = self._state and self._state.generation.words
        if not self._bm25.enabled or words is None or isinstance(words, AbsentIndex):
            return "nothing"
        if isinstance(words, TantivySearcher) and self._bm25.engine == "lucene":
            raise Unavailable(
                "tantivy serves: no Lucene index can be used",
                hint="run `codeintel compact`, with the extra `lucene` installed",
                value=self.repository.name,
            )
        return words.health()

    def sparse_health(self) -> str:
        """Return what searches implied terms; raises ``Unavailable`` when it is not what is wanted."""
        with self.view():
            sparse = self._state and self._state.generation.sparse
        if self._sparse is None:
            return "nothing"
        if sparse is None:
            raise Unavailable(
                "no sparse vectors can be used",
                hint="run `codeintel compact`",
                value=self.repository.name,
            )
        return self._sparse.fingerprint

    def model_fingerprint(self) -> str:
        """Return the contract of the vectors, as it was when they were made."""
        with self._journal.view() as journal:
            return str(journal.meta().get("model_fingerprint", ""))

    def prefer(self, near: Path) -> None:
        """Search the work tree around ``near``, if it is one of this repository that is held."""
        if near.is_relative_to(self.repository.root):
            return
        repo = locate(near)
        if repo is None or str(repo.common_dir) != self.repository.identity:
            return
        ref = worktree_ref(repo)
        if any(snapshot.ref == ref for snapshot in self.snapshots()):
            self.repository = self.repository._replace(root=str(repo.root), default_ref=ref)

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot that is held."""
        with self._journal.view() as journal:
            return journal.snapshots()

    def _chosen(self, journal: JournalView, scope: Scope | None) -> list[Snapshot]:
        default = self.repository.default_ref
        usual = None if names_snapshots(scope) else journal.snapshot(default)
        return [usual] if usual is not None else choose(journal.snapshots(), default, scope)

    def _view(
        self, state: _State, journal: JournalView, snapshots: list[Snapshot], scope: Scope | None
    ) -> RepositoryView:
        live = _live(state, journal, snapshots)
        mask = _mask(state, journal, snapshots, live, scope)
        catalog = JournalCatalog(journal, snapshots)
        words = state.generation.words if self._bm25.enabled else AbsentIndex()
        channels = Channels(
            vectors=state.vectors,
            words=words,
            catalog=catalog,
            texts=catalog,
            traits=self._traits,
            mask=mask,
            sparse=state.generation.sparse,
        )
        return RepositoryView(
            repository=self.repository,
            snapshots=snapshots,
            sequence=state.sequence,
            generation=state.generation.number,
            live=live,
            catalog=catalog,
            channels=channels,
            limits=state.limits,
            roots=state.roots,
        )

    def _current(self, journal: JournalView) -> _State:
        sequence = journal.sequence
        with self._lock:
            if self._state is None or self._state.sequence != sequence:
                generation = self._generation(journal.generation)
                rows = journal.live_rows()
                vectors = self._vectors(journal, rows, generation.nearest)
                self._state = _State(sequence, generation, {}, vectors, {}, {})
            return self._state

    def _vectors(
        self, journal: JournalView, rows: int, nearest: NearestIndex | None
    ) -> DenseSearcher | AbsentIndex:
        """Map the vectors, unless they are damaged or another model's: those mean nothing here."""
        try:
            check_components(self.repository.name, journal.meta(), self._components)
            vectors = VectorReader(self.folder.vectors, journal.segments(), self._dim, rows)
        except (IndexDamaged, IndexForeign) as error:
            _tell(error)
            return AbsentIndex()
        if nearest is not None or len(vectors.rows) < PACKED_FROM or self._dim % 2:
            return DenseSearcher(vectors.blocks, vectors.rows, nearest=nearest)
        source = self._packing_of(journal, vectors)
        return DenseSearcher(vectors.blocks, vectors.rows, source=source)

    def _packing_of(self, journal: JournalView, vectors: VectorReader) -> Packing:
        """Return what packs the vectors, the same as long as they are only added to."""
        segments, generation = journal.segments(), journal.generation
        if self._packing is None or not self._packing.covers(generation, segments):
            self._packing = Packing(generation, segments, vectors.blocks)
        return self._packing

    def _open(self, number: int) -> _Generation:
        return _Generation.open(self.folder, number, self._bm25, self._sparse)

    def _generation(self, number: int) -> _Generation:
        """Return the generation with at least the words that the present transaction sees.

        It is opened or reloaded after the transaction began; rows beyond it are not in the mask.
        """
        present = self._state.generation if self._state is not None else None
        if present is None or present.number != number or isinstance(present.words, AbsentIndex):
            return self._open(number)
        try:
            present.words.reload()
        except IndexDamaged:
            return self._open(number)
        return present


def _open_splade(catalog: Path, encoder: SparseEncoder) -> SparseChannel | None:
    from codeintel_rev.indexing.generation_splade import open_splade

    return open_splade(catalog, encoder)


def _tell(error: IndexUnusable) -> None:
    """Say what cannot be used; the rest is served."""
    _log.warning("%s (%s)", error.message, error.hint)


def require_snapshots(opened: Sequence[OpenRepository], scope: Scope) -> None:
    """Raise ``NotFound`` for the first ref of ``scope`` that none of the repositories holds."""
    held = [snapshot for repository in opened for snapshot in repository.snapshots()]
    missing = [name for name in scope.branches or () if not named(held, name)]
    if scope.commit is not None and not choose(held, "", scope):
        missing.append(scope.commit)
    if missing:
        raise NotFound(
            f"{missing[0]!r} is not in this index",
            hint=f"add it with `codeintel index --ref {missing[0]}`; "
            f"held are: {', '.join(dict.fromkeys(map(label, held))) or 'none'}",
            value=missing[0],
        )


def _live(state: _State, journal: JournalView, snapshots: Sequence[Snapshot]) -> NDArray[np.bool_]:
    """Return the rows that any of the snapshots holds."""
    key = tuple(snapshot.id for snapshot in snapshots)
    live = state.live.get(key)
    if live is None:
        bitmaps = [journal.live(snapshot_id) for snapshot_id in key]
        live = max(bitmaps, key=len)
        for bitmap in bitmaps:
            live[: len(bitmap)] |= bitmap
        _remember(state.live, key, live)
    return live


def _mask(
    state: _State,
    journal: JournalView,
    snapshots: Sequence[Snapshot],
    live: NDArray[np.bool_],
    scope: Scope | None,
) -> NDArray[np.bool_]:
    """Return the live rows of the files in scope."""
    if scope is None or not scope.filters_files:
        return live
    ids = [snapshot.id for snapshot in snapshots]
    key = repr((ids, scope.file_restrictions)).encode()
    mask = state.masks.get(key)
    if mask is None:
        mask = _scope_mask(journal, ids, scope, len(live))
        _remember(state.masks, key, mask)
    return mask


def _remember(cache: dict[_Key, NDArray[np.bool_]], key: _Key, rows: NDArray[np.bool_]) -> None:
    if len(cache) >= _MASKS_KEPT:
        cache.clear()
    cache[key] = rows


def _scope_mask(
    journal: JournalView, snapshot_ids: Sequence[int], scope: Scope, rows: int
) -> NDArray[np.bool_]:
    files = FileFilter(scope)
    mask = np.zeros(rows, dtype=np.bool_)
    for snapshot_id in snapshot_ids:
        for path, lang, spans in journal.file_spans(snapshot_id):
            if files.match(path, lang):
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
