"""The files of each compaction: which are in use, and deleting those that are not."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.generation_lock import DeletionLock
from codeintel_rev.io.vector_store import Segment


def stray_generations(folder: RepositoryFolder, current: int) -> list[int]:
    """Return the numbers of the generations on disk other than the one that serves."""
    kinds = (folder.lexical(0).parent, folder.catalog(0).parent)
    names = [path.name for kind in kinds if kind.exists() for path in kind.iterdir()]
    names += [p.name.rpartition("-")[2] for p in folder.locks.glob("generation-*")]
    return sorted({int(name) for name in names if name.isdigit()} - {current})


def stray_vectors(folder: RepositoryFolder, segments: Collection[Segment]) -> list[Path]:
    """Return the files among the vectors that the journal does not name."""
    named = {segment.file for segment in segments}
    return sorted(path for path in folder.vectors.iterdir() if path.name not in named)


def collect(folder: RepositoryFolder, current: int, segments: Collection[Segment]) -> int:
    """Delete what only superseded generations need; returns how many of those are still read.

    The caller holds the compactor lock: nobody else is building a generation.
    """
    still_read = 0
    for number in stray_generations(folder, current):
        lock = DeletionLock.take(folder.generation_lock(number))
        if lock is None:
            still_read += 1
            continue
        for path in (folder.lexical(number), folder.catalog(number)):
            shutil.rmtree(path, ignore_errors=True)
        lock.close()
    if not still_read:  # a view of an older generation may need any of the vector files
        for path in stray_vectors(folder, segments):
            path.unlink(missing_ok=True)
    return still_read
