"""Writing a new build of a FAISS index beside the one that serves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.faiss_files import damaged, read_index, verify, write_index
from codeintel_rev.io.faiss_folder import PRIMARY, IndexFolder
from codeintel_rev.io.faiss_primary import HALF, ID, map_file
from codeintel_rev.io.index_manifest import IndexManifest, now
from codeintel_rev.io.vector_input import as_ids


class Batch(NamedTuple):
    """Vectors and their ids."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.floating]
    """Shape ``(len(ids), dim)``."""


def verify_files(folder: IndexFolder, manifest: IndexManifest) -> None:
    """Raise ``IndexDamaged`` for the first file that has not the bytes that were written."""
    for name, expected in manifest.checksums.items():
        verify(folder.path / name, expected)


def write_vectors(folder: IndexFolder, build: int, batches: Iterable[Batch]) -> dict[str, str]:
    """Write ids and vectors of a build, a batch at a time; returns their files' checksums.

    Raises ``InvalidArgument`` when an id comes twice.
    """
    written = [np.zeros(0, dtype=np.int64)]
    paths = folder.ids(build), folder.vectors(build)
    digests = [hashlib.blake2b(digest_size=16) for _ in paths]
    with paths[0].open("wb") as ids, paths[1].open("wb") as vectors:
        for batch in batches:
            written.append(batch.ids)
            parts = batch.ids.astype(ID).tobytes(), batch.vectors.astype(HALF).tobytes()
            for file, digest, data in zip((ids, vectors), digests, parts, strict=True):
                file.write(data)
                digest.update(data)
        as_ids(np.concatenate(written))
        for file in (ids, vectors):
            file.flush()
            os.fsync(file.fileno())
    return {path.name: digest.hexdigest() for path, digest in zip(paths, digests, strict=True)}


def map_vectors(folder: IndexFolder, build: int, dim: int) -> NDArray[np.float16]:
    """Return the vectors of a build, mapped into memory."""
    path = folder.vectors(build)
    vectors: NDArray[np.float16] = map_file(path, HALF, (path.stat().st_size // (dim * 2), dim))
    return vectors


def write_primary(folder: IndexFolder, index: Any, manifest: IndexManifest) -> IndexManifest:
    """Write a new index beside the one that serves, and read it back; returns its manifest.

    Raises ``IndexDamaged`` when the file does not hold what was built.
    """
    digest = write_index(index, folder.primary_new)
    written = read_index(folder.primary_new, digest)
    if (written.d, written.ntotal) != (manifest.vec_dim, manifest.primary_count):
        raise damaged(folder.primary_new, f"it holds {written.ntotal} vectors of {written.d}")
    return replace(
        manifest,
        built_at=now(),
        checksums=manifest.checksums | {PRIMARY: digest},
    )
