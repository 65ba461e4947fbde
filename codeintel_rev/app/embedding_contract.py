"""Whether the model, the settings and every index agree on what a vector is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.components import IndexEmbedder
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.models import is_of_server
from codeintel_rev.app.repository import OpenRepository
from codeintel_rev.errors import (
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    SettingsError,
    Unavailable,
)

_PROBE_S = 0.5
"""A server that gives no vector within this time is away, as far as its contract goes."""

_REPAIR = "run `codeintel doctor --repair`"


class Breach(NamedTuple):
    """How the contract is broken; names nothing that is not public."""

    what: str
    """With both values."""
    fix: str
    """What mends it."""

    def __str__(self) -> str:
        return f"{self.what} ({self.fix})"


def breach_of(index: LocalIndex) -> Breach | None:
    """Return how the contract is broken; a server that is away breaks nothing.

    What another version of the embedded model made is no breach: it is made anew while the index
    serves. To embed everything anew from or to a server's model is for a person to decide.

    Raises ``SettingsError`` when the embedded model is not the one that is configured.
    """
    return _breach_of_files(index) or _breach_of_server(index.embedder)


def require_contract(index: LocalIndex) -> None:
    """Raise ``SettingsError`` for what ``breach_of`` returns."""
    breach = breach_of(index)
    if breach is not None:
        raise SettingsError(breach.what, hint=breach.fix)


def _breach_of_files(index: LocalIndex) -> Breach | None:
    embedder, config = index.embedder, index.settings.embedding
    if not config.is_remote:
        config.require(embedder.model_id, embedder.dim)
    for opened in index.opened:
        made_with = opened.model_fingerprint()
        if made_with != embedder.fingerprint:
            if not (config.is_remote or is_of_server(index.data_dir, made_with)):
                continue
            return Breach(
                f"model mismatch: an index was made with the contract {made_with[:12]}, "
                f"configured is {embedder.model_id} with {embedder.fingerprint[:12]}",
                "run `codeintel index` to embed it anew, or configure the former model",
            )
        for what, dim in _dimensions(opened):
            if dim is None:
                return Breach(f"{what} cannot be read", _REPAIR)
            if dim != embedder.dim:
                return Breach(
                    f"dimension mismatch: {what} has {dim}, "
                    f"the model {embedder.model_id} has {embedder.dim}",
                    _REPAIR,
                )
    return None


def _breach_of_server(embedder: IndexEmbedder) -> Breach | None:
    from codeintel_rev.io.remote_embedder import RemoteEmbedder

    if not isinstance(embedder, RemoteEmbedder):
        return None
    try:
        length = embedder.vector_length(_PROBE_S)
    except (DeadlineExceeded, InvalidArgument, NotFound, Unavailable):
        return None
    if length == embedder.dim:
        return None
    return Breach(
        f"dimension mismatch: the server of {embedder.model_id} gives vectors of {length}, "
        f"{embedder.dim} are expected",
        f"serve the former model, or set EMBEDDING_VEC_DIM={length} and run `codeintel index`",
    )


def _dimensions(opened: OpenRepository) -> Iterator[tuple[str, int | None]]:
    """Yield the length of the vectors in each file that says it; ``None`` where it is damaged."""
    with opened.view() as view:
        generation = 0 if view is None else view.generation
    catalog = opened.folder.catalog(generation)
    for file in sorted([*opened.folder.vectors.rglob("*.faiss"), *catalog.glob("*.faiss")]):
        yield file.name, _faiss_dimension(file, file.stat().st_mtime_ns)
    chunks = catalog / "chunks.parquet"
    if chunks.is_file():
        yield chunks.name, _parquet_dimension(chunks, chunks.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _faiss_dimension(file: Path, _changed_ns: int) -> int | None:
    import faiss

    try:
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY
        return int(faiss.read_index(str(file), flags).d)
    except RuntimeError:
        return None


@lru_cache(maxsize=1024)
def _parquet_dimension(file: Path, _changed_ns: int) -> int | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_schema(file).field("embedding").type.list_size)
    except (pa.ArrowException, OSError, KeyError):
        return None
