"""What was added to a FAISS index and removed from it since it was built."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.delta_log import Change, DeltaLog
from codeintel_rev.io.faiss_files import damaged, load_faiss, read_index, write_index
from codeintel_rev.io.faiss_publish import Batch
from codeintel_rev.io.index_manifest import check_dimension
from codeintel_rev.io.vector_input import as_ids, as_vectors

_log = logging.getLogger(__name__)


class Delta:
    """The changes of one build: a log on disk, and a flat index of what was added, in memory."""

    def __init__(self, path: Path, dim: int) -> None:
        faiss = load_faiss()
        self.log = DeltaLog(path, dim)
        self.index = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        self._ids: set[int] = set()
        self._copied = 0

    def load(self) -> Iterator[NDArray[np.int64]]:
        """Replay the log; yields the ids of each record, which the primary holds no more."""
        for change in self.log.replay():
            self.apply(change)
            yield change.ids

    def apply(self, change: Change) -> None:
        """Make a change that the log holds searchable."""
        ids = set(change.ids.tolist())
        known = self._ids & ids
        if known:
            self.index.remove_ids(np.array(sorted(known), dtype=np.int64))
        if change.vectors is None:
            self._ids -= ids
        else:
            self.index.add_with_ids(change.vectors.astype(np.float32), change.ids)
            self._ids |= ids

    def adopt(self, path: Path, dim: int) -> None:
        """Log what another program added, where it has left its index and there is no log yet."""
        if self.log.path.exists() or not path.exists():
            return
        faiss = load_faiss()
        other = read_index(path)
        check_dimension(path.name, other.d, dim)
        if not other.ntotal:
            return
        if not isinstance(other, faiss.IndexIDMap):
            raise damaged(path, "it says no ids")
        ids = faiss.vector_to_array(other.id_map)
        flat = faiss.downcast_index(other.index)
        self.log.append(Change(as_ids(ids), as_vectors(flat.reconstruct_n(0, len(ids)), dim)))

    def count(self, ids: NDArray[np.int64]) -> int:
        """Return how many of ``ids`` were added."""
        return len(self._ids.intersection(ids.tolist()))

    def search(self, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Return up to ``k`` (id, score), best first."""
        if not self.index.ntotal:
            return []
        scores, ids = self.index.search(query[np.newaxis], min(k, self.index.ntotal))
        return list(zip(ids[0].tolist(), scores[0].tolist(), strict=True))

    def added(self) -> Batch:
        """Return a copy of what was added."""
        faiss = load_faiss()
        ids = faiss.vector_to_array(self.index.id_map)
        flat = faiss.downcast_index(self.index.index)
        return Batch(ids, flat.reconstruct_n(0, len(ids)).astype(np.float16))

    def copy_to(self, path: Path) -> None:
        """Write the index for other programs when it has doubled since it last was.

        So the copies cost no more than the changes. The log is what counts: that the copy could
        not be written is only logged.
        """
        if self.index.ntotal < 2 * self._copied or not self.index.ntotal:
            return
        self._copied = self.index.ntotal
        new = path.with_name(f"{path.name}.new")
        try:
            write_index(self.index, new)
            new.replace(path)
        except OSError as error:
            _log.warning("%s was not written: %s", path.name, error)
            new.unlink(missing_ok=True)
