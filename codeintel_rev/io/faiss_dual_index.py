"""A vector index in a folder: a large part that is built, and a small one that takes changes.

The primary is a FAISS index over everything as of the last compaction. What is added and removed
since is a log on disk and a flat index in memory, the secondary. A search asks both and merges.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codeintel_rev.config.settings import FaissConfig, Settings
from codeintel_rev.errors import (
    CodeIntelError,
    IndexMissing,
    InvalidArgument,
    StorageFailed,
    Unavailable,
)
from codeintel_rev.io import file_lock, storage_failure
from codeintel_rev.io.delta_log import Change
from codeintel_rev.io.faiss_build import build_index, choose_family
from codeintel_rev.io.faiss_builder import PrimaryBuilder, kept
from codeintel_rev.io.faiss_delta import Delta
from codeintel_rev.io.faiss_folder import IndexFolder
from codeintel_rev.io.faiss_gpu import GpuClone, clone_to_gpu
from codeintel_rev.io.faiss_primary import Primary, open_primary
from codeintel_rev.io.faiss_publish import Batch, verify_files
from codeintel_rev.io.index_manifest import IndexManifest
from codeintel_rev.io.vector_input import as_ids, as_query, as_vectors

__all__ = ["Batch", "FAISSDualIndexManager", "IndexManifest", "merge_hits"]

Hit = tuple[int, float]
"""An id and its score."""

_ASKED = 100
"""Queries of late, on which the width of a search is chosen."""

_WAIT_S = 60.0
"""A change waits so long for the change of another process."""


class FAISSDualIndexManager:
    """Stores, searches and compacts the vectors of one folder; safe to share between threads.

    Several processes may use a folder: each change is made under a lock of the folder, and a
    process that changes it sees all changes before its own. An id that is added again gets the new
    vector.
    """

    def __init__(
        self,
        index_dir: Path | str,
        settings: FaissConfig | Settings,
        vec_dim: int,
        *,
        fingerprint: str = "",
    ) -> None:
        """Name the folder; nothing is read before ``ensure_ready``.

        ``fingerprint`` of the embedding model, if given, has to be that of the index.
        """
        self._folder = IndexFolder(Path(index_dir))
        self._settings = settings.faiss if isinstance(settings, Settings) else settings
        self._dim = vec_dim
        self._fingerprint = fingerprint
        self._builder = PrimaryBuilder(
            self._folder, vec_dim, fingerprint, adaptive=self._settings.adaptive_nprobe
        )
        self._lock = RLock()
        self._asked: deque[NDArray[np.float32]] = deque(maxlen=_ASKED)
        self._primary: Primary | None = None
        self._delta = Delta(self._folder.delta(0), vec_dim)
        self._gone: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        """Positions of the primary that were removed or added again."""
        self._gpu = GpuClone()

    # --- what the plan's callers look at ------------------------------------------------------

    @property
    def _primary_cpu(self) -> Any:
        return self._opened().index

    @property
    def _secondary_cpu(self) -> Any:
        return self._delta.index

    @property
    def _primary_gpu(self) -> Any:
        return self._gpu.index

    @property
    def _secondary_gpu(self) -> None:
        """The secondary changes too often for a copy to pay."""

    @property
    def _gpu_resources(self) -> Any:
        return self._gpu.resources

    @property
    def _gpu_enabled(self) -> bool:
        return self._gpu.index is not None

    @property
    def _gpu_disabled_reason(self) -> str | None:
        return self._gpu.reason

    # --- opening ------------------------------------------------------------------------------

    async def ensure_ready(self) -> tuple[bool, str | None]:
        """Open what is in the folder, which may be empty; returns whether that worked, and why not.

        ``(True, "GPU degraded: ...")`` says that a GPU was asked for and is not used, or not in
        full.
        """
        try:
            await asyncio.to_thread(self._open)
        except CodeIntelError as error:
            return False, f"{error.message} ({error.hint})" if error.hint else error.message
        if self._settings.use_cuvs is True and self._gpu.reason is not None:
            return True, f"GPU degraded: {self._gpu.reason}"
        return True, None

    def _open(self) -> None:
        try:
            with storage_failure.explained(self._folder.path):
                self._folder.path.mkdir(parents=True, exist_ok=True)
            with self._writing():
                self._recover()
                if not self._folder.manifest.exists():
                    Delta(self._folder.delta(0), self._dim).adopt(self._folder.secondary, self._dim)
                self._load()
        except StorageFailed:
            self._load()  # what cannot be written can still be searched

    def _recover(self) -> None:
        """Undo or finish what a killed compaction left, unless one is running."""
        if file_lock.holder(self._folder.compactor_lock) is None:
            self._folder.recover()

    def _load(self) -> None:
        primary = open_primary(self._folder, self._dim, self._fingerprint)
        delta = Delta(self._folder.delta(primary.manifest.build), self._dim)
        gone = np.zeros(len(primary.ids), dtype=np.bool_)
        for ids in delta.load():
            gone[primary.positions(ids)] = True
        gpu = clone_to_gpu(primary.index, self._settings.use_cuvs)
        with self._lock:
            self._primary, self._delta, self._gone, self._gpu = primary, delta, gone, gpu

    def _opened(self) -> Primary:
        if self._primary is None:
            raise IndexMissing(
                f"the index at {self._folder.path} is not open",
                hint="await ensure_ready() first, and look at what it returns",
                value=str(self._folder.path),
            )
        return self._primary

    # --- searching ----------------------------------------------------------------------------

    def search(self, query: ArrayLike, k: int = 10) -> list[Hit]:
        """Return up to ``k`` (id, score) by inner product, best first, ties by id.

        Raises ``InvalidArgument`` for a query of another length or with what is no number.
        """
        vector = as_query(query, self._dim)
        if k < 1:
            raise InvalidArgument(f"k is {k}", hint="ask for at least one neighbour", value=str(k))
        with self._lock:
            primary, gone = self._opened(), self._gone
            recent = self._delta.search(vector, k * 2)
            self._asked.append(vector)
        return merge_hits(self._built_hits(primary, vector, k * 2, gone), recent, k)

    def _built_hits(
        self, primary: Primary, query: NDArray[np.float32], k: int, gone: NDArray[np.bool_]
    ) -> list[Hit]:
        """Search the primary, on the GPU as long as that works."""
        gpu = self._gpu.index
        if gpu is not None:
            try:
                return primary.search(query, k, gone, gpu)
            except RuntimeError as error:
                first_line = str(error).partition("\n")[0]
                self._gpu = GpuClone(reason=f"a search on the GPU failed: {first_line}")
        return primary.search(query, k, gone)

    # --- changing -----------------------------------------------------------------------------

    async def add_incremental(self, vectors: ArrayLike, ids: ArrayLike) -> None:
        """Add ``vectors``, shape ``(n, vec_dim)``, under ``ids``; durable when it returns.

        Raises ``InvalidArgument`` for vectors or ids that cannot be stored, and ``StorageFailed``
        when the disk is full; nothing is added then.
        """
        halves = as_vectors(vectors, self._dim)
        change = Change(as_ids(ids, len(halves)), halves)
        await asyncio.to_thread(self._change, change)

    async def remove(self, ids: ArrayLike) -> int:
        """Remove what has one of ``ids``; returns how many that were."""
        return await asyncio.to_thread(self._change, Change(as_ids(ids)))

    def _change(self, change: Change) -> int:
        """Store one change; returns how many of its ids were known before."""
        self._opened()
        with self._writing():
            self._catch_up()
            primary = self._opened()
            positions = primary.positions(change.ids)
            known = int((~self._gone[positions]).sum()) + self._delta.count(change.ids)
            if change.vectors is None and not known:
                return 0
            self._delta.log.append(change)
            with self._lock:
                self._delta.apply(change)
                if len(positions):
                    gone = self._gone.copy()  # a search may be using the present one
                    gone[positions] = True
                    self._gone = gone
            self._delta.copy_to(self._folder.secondary)
            return known

    def _catch_up(self) -> None:
        """Read what another process has changed."""
        manifest = self._folder.read_manifest()
        build = manifest.build if manifest is not None else 0
        if build != self._opened().manifest.build or not self._delta.log.is_current:
            self._load()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with (
            storage_failure.explained(self._folder.path),
            file_lock.hold(
                self._folder.writer_lock, timeout_s=_WAIT_S, hint="wait for it to finish"
            ),
        ):
            yield

    # --- compaction ---------------------------------------------------------------------------

    def needs_compaction(self) -> bool:
        """Return whether the changes since the last build are many, by number and by share."""
        changed = int(self._delta.index.ntotal) + int(self._gone.sum())
        threshold = self._opened().index.ntotal * self._settings.compaction_threshold
        return changed >= self._settings.compaction_min and changed > threshold

    async def compact(self, queries: ArrayLike | None = None) -> None:
        """Build a new primary of everything, and let it serve; searches and changes go on meanwhile.

        How many lists a search reads is chosen on ``queries``, shape ``(n, vec_dim)``, else on
        those asked of late.

        Raises:
            Busy: another process is compacting.
            IndexDamaged: a file is not what was written; the present index stays.
            Unavailable: the primary cannot give its vectors back.
        """
        await asyncio.to_thread(self._compact, self._checked(queries))

    async def rebuild(self, batches: Iterable[Batch], queries: ArrayLike | None = None) -> None:
        """Replace everything by ``batches``, which are stored as they come, in bounded memory.

        It also mends a folder that cannot be opened. No id may come twice.
        """
        await asyncio.to_thread(self._rebuild, batches, self._checked(queries))

    def _checked(self, queries: ArrayLike | None) -> NDArray[np.float32] | None:
        if queries is None:
            return None
        return np.array([as_query(query, self._dim) for query in np.asarray(queries)])

    def _compact(self, queries: NDArray[np.float32] | None) -> None:
        self._opened()
        with self._compacting():
            with self._writing():
                self._catch_up()
                primary, gone, added = self._opened(), self._gone, self._delta.added()
                offset = self._delta.log.end
            if primary.vectors is None:
                raise Unavailable(
                    "the primary was made by another program and keeps no vectors",
                    hint="call rebuild() with the vectors",
                    value=str(self._folder.primary),
                )
            verify_files(self._folder, primary.manifest)
            build = primary.manifest.build + 1
            manifest = self._build(build, kept(primary, gone, added), queries)
            with self._writing():
                self._catch_up()
                self._switch(manifest, self._delta.log.tail_from(offset))

    def _rebuild(self, batches: Iterable[Batch], queries: NDArray[np.float32] | None) -> None:
        self._folder.path.mkdir(parents=True, exist_ok=True)
        with self._compacting(), self._writing():
            checked = (
                Batch(as_ids(ids, len(vectors)), as_vectors(vectors, self._dim))
                for ids, vectors in batches
            )
            manifest = self._build(self._folder.next_build(), checked, queries)
            self._switch(manifest, b"")

    def _build(
        self, build: int, batches: Iterable[Batch], queries: NDArray[np.float32] | None
    ) -> IndexManifest:
        """Write a new build beside the present one; returns its manifest."""
        with self._lock:  # searches add to them
            asked = list(self._asked)
        if queries is None and len(asked) == _ASKED:
            queries = np.array(asked)
        make_index = self._build_adaptive_index
        return self._builder.build(build, batches, make_index, queries, self._gpu)

    def _build_adaptive_index(self, vectors: NDArray[np.floating]) -> Any:
        """Return an index over ``vectors`` of the kind that suits their number."""
        return build_index(choose_family(len(vectors), self._dim), vectors)

    def _switch(self, manifest: IndexManifest, changes: bytes) -> None:
        """Let a new build serve, with the changes that came while it was made."""
        Delta(self._folder.delta(manifest.build), self._dim).log.create(changes)
        self._folder.switch(manifest)
        self._load()

    @contextmanager
    def _compacting(self) -> Iterator[None]:
        with (
            storage_failure.explained(self._folder.path),
            file_lock.hold(
                self._folder.compactor_lock,
                timeout_s=0.0,
                doing="compacted",
                hint="wait for it to finish",
            ),
        ):
            yield


def merge_hits(first: Iterable[Hit], second: Iterable[Hit], k: int) -> list[Hit]:
    """Return the ``k`` best of two lists, each id once with its highest score; ties by id."""
    best: dict[int, float] = {}
    for found, score in (*first, *second):
        best[found] = max(score, best.get(found, score))
    return sorted(best.items(), key=lambda hit: (-hit[1], hit[0]))[:k]
