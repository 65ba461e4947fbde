"""Finding the nearest of very many sealed vectors: a FAISS index that compaction builds.

It keeps one bit a dimension and the lists of an inverted file, mapped into memory, and proposes
positions; their scores come from the vectors themselves. Below ``BUILT_FROM`` vectors there is none:
comparing all of them is fast enough, and finds all.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexUnusable
from codeintel_rev.io.faiss_build import Family, Matrix, build_index, training_size
from codeintel_rev.io.faiss_files import damaged, read_index, verify, write_index
from codeintel_rev.io.faiss_search import choose_width, propose
from codeintel_rev.io.index_manifest import IndexManifest, now

BUILT_FROM = 200_000
"""Fewer vectors than these are compared one by one."""

INDEX_FILE = "vectors.faiss"
MANIFEST_FILE = "vectors.manifest.json"


class NearestIndex:
    """Proposes positions among the first ``count`` vectors; safe to share between threads."""

    def __init__(self, index: Any, manifest: IndexManifest) -> None:
        self._index = index
        self._nprobe = manifest.nprobe
        self.count = manifest.primary_count

    def propose(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return up to ``k`` positions with ``mask[position]`` that are likely the nearest."""
        whole = None if mask.all() else mask
        found, _ = propose(self._index, query, k, nprobe=self._nprobe, mask=whole)
        return found


class FetchedRows:
    """Vectors that are fetched by position, to be indexed like an array."""

    def __init__(self, gather: Any, count: int, dim: int) -> None:
        self._gather = gather
        self.shape = (count, dim)

    def __getitem__(self, at: Any) -> NDArray[np.floating]:
        positions = np.arange(self.shape[0])[at] if isinstance(at, slice) else at
        vectors: NDArray[np.floating] = self._gather(positions)
        return vectors


def build_nearest(folder: Path, vectors: Matrix, queries: NDArray[np.float32]) -> IndexManifest:
    """Build the index of ``vectors``, shape ``(n, dim)``, in ``folder``.

    How many lists a search reads is chosen on ``queries``; there may be none.
    """
    count, dim = vectors.shape
    family = Family("IVFRaBitQ", 2 * math.isqrt(count))
    index = build_index(family, vectors)
    width = choose_width(index, vectors, queries if len(queries) else None)
    manifest = IndexManifest(
        vec_dim=dim,
        index_type=family.index_type,
        nlist=family.nlist,
        nprobe=width.nprobe,
        recall_at_10=width.recall_at_10,
        trained_on=training_size(family, count),
        built_at=now(),
        primary_count=count,
        checksums={INDEX_FILE: write_index(index, folder / INDEX_FILE)},
    )
    manifest.to_file(folder / MANIFEST_FILE)
    return manifest


def open_nearest(folder: Path) -> NearestIndex | None:
    """Open the index in ``folder``; ``None`` when there is none, or none that can be used.

    ``check_nearest`` says what is wrong with it; a search then compares all vectors.
    """
    try:
        manifest = IndexManifest.from_file(folder / MANIFEST_FILE)
        index = read_index(folder / INDEX_FILE, mapped=True)
    except (FileNotFoundError, IndexUnusable):
        return None
    if (index.d, index.ntotal) != (manifest.vec_dim, manifest.primary_count):
        return None
    return NearestIndex(index, manifest)


def check_nearest(folder: Path) -> IndexManifest | None:
    """Return the manifest of an index all bytes of which are as written, ``None`` without one.

    Raises ``IndexDamaged`` naming the file that is not.
    """
    if not (folder / MANIFEST_FILE).exists():
        if (folder / INDEX_FILE).exists():
            raise damaged(folder / MANIFEST_FILE, "it is missing")
        return None
    manifest = IndexManifest.from_file(folder / MANIFEST_FILE)
    verify(folder / INDEX_FILE, manifest.checksums.get(INDEX_FILE))
    return manifest
