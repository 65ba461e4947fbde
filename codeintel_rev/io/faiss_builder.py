"""A new build of the primary, written beside the one that serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.faiss_build import choose_family, training_size
from codeintel_rev.io.faiss_folder import IndexFolder
from codeintel_rev.io.faiss_gpu import GpuClone, cuvs_version
from codeintel_rev.io.faiss_primary import Primary
from codeintel_rev.io.faiss_publish import Batch, map_vectors, write_primary, write_vectors
from codeintel_rev.io.faiss_search import Width, choose_width
from codeintel_rev.io.index_manifest import IndexManifest

_BLOCK = 16_384
"""Vectors copied at a time."""

MakeIndex = Callable[[NDArray[np.float16]], Any]
"""Returns a FAISS index over vectors, shape ``(n, dim)``."""


class PrimaryBuilder:
    """Builds primaries of one folder; whoever lets one serve decides when."""

    def __init__(self, folder: IndexFolder, dim: int, fingerprint: str, *, adaptive: bool) -> None:
        """With ``adaptive`` the width of a search is chosen by what it finds."""
        self._folder = folder
        self._dim = dim
        self._fingerprint = fingerprint
        self._adaptive = adaptive

    def build(
        self,
        number: int,
        batches: Iterable[Batch],
        make_index: MakeIndex,
        queries: NDArray[np.float32] | None,
        gpu: GpuClone,
    ) -> IndexManifest:
        """Write build ``number`` of everything in ``batches``; returns its manifest.

        Queries of shape ``(q, dim)`` choose how many lists a search reads. ``gpu`` is what serves
        now, and is noted. Nothing is left of a build that fails.
        """
        folder = self._folder
        try:
            checksums = write_vectors(folder, number, batches)
            vectors = map_vectors(folder, number, self._dim)
            family = choose_family(len(vectors), self._dim)
            index = make_index(vectors)
            width = self._width(index, vectors, queries) if family.nlist else Width()
            manifest = IndexManifest(
                vec_dim=self._dim,
                index_type=family.index_type,
                nlist=family.nlist,
                pq_m=family.pq_m,
                nprobe=width.nprobe,
                recall_at_10=width.recall_at_10,
                trained_on=training_size(family, len(vectors)),
                primary_count=len(vectors),
                gpu_enabled=gpu.index is not None,
                cuvs_version=cuvs_version() if gpu.uses_cuvs else None,
                fingerprint=self._fingerprint,
                build=number,
                checksums=checksums,
            )
            return write_primary(folder, index, manifest)
        except BaseException:
            folder.discard_build(number)
            raise

    def _width(
        self, index: Any, vectors: NDArray[np.float16], queries: NDArray[np.float32] | None
    ) -> Width:
        if not self._adaptive:
            return Width(max(1, index.nlist // 8), None)
        return choose_width(index, vectors, queries)


def kept(primary: Primary, gone: NDArray[np.bool_], added: Batch) -> Iterator[Batch]:
    """Yield what of the primary stays, block by block, and what was added."""
    assert primary.vectors is not None
    for start in range(0, len(primary.ids), _BLOCK):
        stays = np.flatnonzero(~gone[start : start + _BLOCK]) + start
        yield Batch(primary.ids[stays], primary.vectors[stays])
    yield added
