"""The part of a FAISS index that does not change until the next compaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexForeign
from codeintel_rev.io.faiss_files import damaged, load_faiss, read_index
from codeintel_rev.io.faiss_folder import PRIMARY, IndexFolder
from codeintel_rev.io.faiss_search import REFINED, propose, rescore
from codeintel_rev.io.index_manifest import INNER_PRODUCT, IndexManifest, check_dimension

ID = np.dtype("<i8")
HALF = np.dtype("<f2")


class Primary:
    """An immutable index: FAISS over positions, the id of each position, and the raw vectors."""

    def __init__(
        self,
        index: Any,
        ids: NDArray[np.int64],
        vectors: NDArray[np.float16] | None,
        manifest: IndexManifest,
    ) -> None:
        self.index = index
        self.ids = ids
        self.vectors = vectors
        """``None`` for an index that another program made, and that cannot give them back."""
        self.manifest = manifest
        self._order = np.argsort(ids, kind="stable")

    def positions(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where those of ``ids`` that are here stand; the others are left out."""
        if not len(self.ids):
            return np.zeros(0, dtype=np.int64)
        at = np.searchsorted(self.ids, ids, sorter=self._order)
        found: NDArray[np.int64] = self._order[np.minimum(at, len(self.ids) - 1)]
        kept: NDArray[np.int64] = found[self.ids[found] == ids]
        return kept

    def search(
        self, query: NDArray[np.float32], k: int, gone: NDArray[np.bool_], gpu: Any = None
    ) -> list[tuple[int, float]]:
        """Return up to ``k`` (id, score) of what is not ``gone``, best first."""
        if not self.index.ntotal:
            return []
        mask = ~gone if gone.any() else None
        wanted = k if self.vectors is None else max(k, REFINED)
        on_gpu = gpu is not None and mask is None  # a GPU index takes no bitmap
        found, scores = propose(
            gpu if on_gpu else self.index, query, wanted, nprobe=self.manifest.nprobe, mask=mask
        )
        if self.vectors is not None:
            found, scores = rescore(self.vectors.__getitem__, query, found, k)
        return list(zip(self.ids[found].tolist(), scores.tolist(), strict=True))


def open_primary(folder: IndexFolder, dim: int, fingerprint: str) -> Primary:
    """Open the index that serves in ``folder``; an empty one where there is none yet.

    Raises ``IndexDamaged`` when a file is not what was written, ``IndexForeign`` when it is of
    vectors of another length, metric or model.
    """
    manifest = folder.read_manifest()
    if manifest is None:
        return _adopt(folder, dim)
    _check(manifest, dim, fingerprint)
    index = read_index(folder.primary, manifest.checksums.get(PRIMARY))
    check_dimension(PRIMARY, index.d, dim)
    count = manifest.primary_count
    ids = map_file(folder.ids(manifest.build), ID, (count,))
    vectors = map_file(folder.vectors(manifest.build), HALF, (count, dim))
    if index.ntotal != count:
        raise damaged(folder.primary, f"it holds {index.ntotal} vectors, {count} were written")
    return Primary(index, np.array(ids), vectors, manifest)


def _check(manifest: IndexManifest, dim: int, fingerprint: str) -> None:
    check_dimension("the index", manifest.vec_dim, dim)
    if manifest.metric != INNER_PRODUCT:
        raise IndexForeign(
            f"Metric mismatch: the index compares by {manifest.metric}, "
            f"{INNER_PRODUCT} is expected",
            hint="build the index anew from the vectors",
            value=manifest.metric,
        )
    if fingerprint and manifest.fingerprint not in ("", fingerprint):
        raise IndexForeign(
            f"Model mismatch: the index was made with {manifest.fingerprint[:16]}, "
            f"the present model is {fingerprint[:16]}",
            hint="build the index anew with the present model",
            value=manifest.fingerprint,
        )


def _adopt(folder: IndexFolder, dim: int) -> Primary:
    """Take over an index that another program left without a manifest, or begin an empty one."""
    faiss = load_faiss()
    if not folder.primary.exists():
        empty = IndexManifest(vec_dim=dim)
        no_ids = np.zeros(0, dtype=np.int64)
        return Primary(faiss.IndexFlatIP(dim), no_ids, np.zeros((0, dim), HALF), empty)
    index = read_index(folder.primary)
    check_dimension(PRIMARY, index.d, dim)
    ids = np.arange(index.ntotal)
    if isinstance(index, faiss.IndexIDMap):
        ids, outer = faiss.vector_to_array(index.id_map), index
        index = faiss.downcast_index(outer.index)
        outer.own_fields = False  # or the inner index is freed with the outer one
        index.this.own(True)
    is_flat = isinstance(index, (faiss.IndexFlat, faiss.IndexScalarQuantizer))
    vectors = index.reconstruct_n(0, index.ntotal).astype(HALF) if is_flat else None
    nlist = getattr(index, "nlist", None)
    manifest = IndexManifest(
        vec_dim=dim,
        index_type=type(index).__name__.removeprefix("Index"),
        nlist=nlist,
        nprobe=index.nprobe if nlist else None,
        primary_count=index.ntotal,
    )
    return Primary(index, ids, vectors, manifest)


def map_file(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    """Map a file that holds exactly an array of ``shape``; raises ``IndexDamaged`` else."""
    wanted = int(np.prod(shape)) * dtype.itemsize
    if not path.exists() or path.stat().st_size != wanted:
        size = path.stat().st_size if path.exists() else 0
        raise damaged(path, f"it holds {size} bytes, {wanted} were written")
    return np.memmap(path, dtype=dtype, mode="r", shape=shape) if wanted else np.zeros(shape, dtype)
