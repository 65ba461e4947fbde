"""Compacting the repositories of a data directory, on command or in the background."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from codeintel_rev.app import leftovers
from codeintel_rev.app.components import (
    IndexEmbedder,
    check_components,
    components,
    load_embedder,
)
from codeintel_rev.app.repository import size_on_disk
from codeintel_rev.config.settings import CompactionConfig, Settings, load_settings
from codeintel_rev.indexing.pipeline import Progress
from codeintel_rev.indexing.retention import KEEP_SHARE
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock, own_process
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.registry import Registry, Repository

if TYPE_CHECKING:
    from codeintel_rev.indexing.generation_builder import FurtherIndex

MIN_DEAD = 1_000
"""Fewer dead chunks than these are never worth a compaction."""

MIN_NEW = 20_000
"""Fewer chunks than these that the catalog lacks are never worth one."""
NEW_SHARE = 0.25
"""So many, as a share of the live ones, are: an exhaustive search reads from the journal what the
catalog lacks, 9 ms for 1,000 chunks, and of very many vectors the new ones are compared one by one."""


class RepositoryCompaction(msgspec.Struct, frozen=True):
    """What one compaction did to one repository."""

    name: str
    generation: int
    sequence: int
    chunks: int
    dropped: int
    """Chunks that nobody could see any more."""
    bytes_before: int
    bytes_after: int
    still_read: int
    """Older generations whose files stay until their readers let go."""
    seconds: float


class CompactionReport(msgspec.Struct, frozen=True):
    """What one run of ``compact`` did."""

    repos: list[RepositoryCompaction]


class RowCounts(NamedTuple):
    """How many chunks a repository stores, and how many of them a snapshot shows."""

    stored: int
    live: int
    new: int
    """Chunks since the last compaction."""

    @property
    def droppable(self) -> int:
        """Chunks that compaction would not keep for a possible return."""
        return max(0, self.stored - self.live - int(self.live * KEEP_SHARE))

    def is_due(self, config: CompactionConfig) -> bool:
        """Return whether a compaction would pay."""
        return self.droppable >= max(MIN_DEAD, self.live * config.dead_share) or self.new >= max(
            MIN_NEW, self.live * NEW_SHARE
        )


def compact_data_dir(
    data_dir: Path,
    *,
    wait: bool = True,
    progress: Progress,
    on_wait: Callable[[str], None] | None = None,
    settings: Settings | None = None,
    reembed: bool = False,
    materialize: bool = False,
    further: Sequence[FurtherIndex] = (),
    afresh: bool = False,
) -> CompactionReport:
    """Compact every repository of ``data_dir``.

    ``afresh`` takes nothing over from the present generation but the vectors, and ``reembed`` makes
    those anew too. With ``materialize`` the catalog is a copy of its Parquet file instead of a view;
    ``further`` indexes are built beside it.

    Raises ``Busy`` when another process compacts and ``wait`` is off, ``IndexForeign`` for an index
    of other components, and ``Unavailable`` when a further index cannot be built here.
    """
    with (
        closing(Registry(data_dir)) as registry,
        closing(load_embedder(settings or load_settings(), data_dir)) as embedder,
    ):
        leftovers.clear(registry)
        return CompactionReport(
            [
                compact_repository(
                    registry,
                    repository,
                    embedder,
                    progress,
                    on_wait,
                    wait=wait,
                    reembed=reembed,
                    materialize=materialize,
                    further=further,
                    afresh=afresh,
                )
                for repository in registry.repositories()
            ]
        )


def start_if_due(folder: RepositoryFolder, data_dir: Path, config: CompactionConfig) -> bool:
    """Start compacting in a process of its own if that would pay; returns whether it did."""
    if not config.auto or not row_counts(folder).is_due(config):
        return False
    if file_lock.holder(folder.compactor_lock) is not None:
        return False
    command = ("-m", "codeintel_rev", "compact", "--no-wait", "--data-dir", str(data_dir))
    process = subprocess.Popen(
        own_process.python(*command),
        env=own_process.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # outlives the terminal, and its Ctrl-C
    )
    Thread(target=process.wait, daemon=True).start()  # or it stays as a zombie
    return True


def row_counts(folder: RepositoryFolder) -> RowCounts:
    """Return how many chunks are stored and how many of them live."""
    journal = Journal(folder.journal)
    try:
        with journal.view() as view:
            stored = int(view.meta()["stored_rows"])
            live = np.zeros(int(view.meta()["reserved_rows"]), dtype=np.bool_)
            for snapshot in view.snapshots():
                bits = view.live(snapshot.id)
                live[: len(bits)] |= bits
            compacted = max((s.end_row or 0 for s in view.segments() if s.map_file), default=0)
            return RowCounts(stored, int(live.sum()), len(live) - compacted)
    finally:
        journal.close()


def compact_repository(
    registry: Registry,
    repository: Repository,
    embedder: IndexEmbedder,
    progress: Progress,
    on_wait: Callable[[str], None] | None = None,
    *,
    wait: bool = True,
    reembed: bool = False,
    materialize: bool = False,
    further: Sequence[FurtherIndex] = (),
    afresh: bool = False,
) -> RepositoryCompaction:
    """Compact one repository; see ``compact_data_dir``."""
    from codeintel_rev.indexing.compactor import Compactor

    for index in further:
        index.require()
    folder = RepositoryFolder(registry.folder(repository))
    check_components(repository.name, folder.state()[1], components(embedder))
    started, before = time.perf_counter(), size_on_disk(folder.path)
    with file_lock.hold(
        folder.compactor_lock,
        timeout_s=None if wait else 0.0,
        on_wait=on_wait,
        doing="compacted",
    ):
        compactor = Compactor(
            folder,
            repository.name,
            embedder.dim,
            partial(folder.writing, on_wait=on_wait),
            embedder=embedder if reembed else None,
            asker=embedder,
            materialize=materialize,
            further=further,
            afresh=afresh,
        )
        done = compactor.run(lambda count, total: progress("compact", count, total, 0))
    return RepositoryCompaction(
        name=repository.name,
        generation=done.generation,
        sequence=done.sequence,
        chunks=done.chunks,
        dropped=done.dropped,
        bytes_before=before,
        bytes_after=size_on_disk(folder.path),
        still_read=done.still_read,
        seconds=round(time.perf_counter() - started, 3),
    )
