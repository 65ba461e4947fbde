"""The sparse vectors of one generation, where compaction has made them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from codeintel_rev.errors import IndexDamaged, IndexForeign, IndexUnusable
from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.ports import SparseEncoder
from codeintel_rev.retrieval.impact_index import ImpactIndex, write_impacts
from codeintel_rev.retrieval.splade_searcher import SpladeSearcher
from codeintel_rev.text.json_faults import NOT_JSON
from codeintel_rev.types import SparseVector

_log = logging.getLogger(__name__)

SPLADE = "splade"
MANIFEST = "splade.manifest.json"
"""In the folder of the generation's catalog."""


class SpladeManifest(msgspec.Struct, frozen=True):
    """What the sparse vectors of a generation are."""

    fingerprint: str
    """Of the encoder that made them."""
    end_row: int
    """Rows from here on came later and have none."""
    chunks: int
    """How many were encoded; those that imply nothing have no postings."""
    postings: int


class SpladeIndexer:
    """Builds the sparse index of a generation (``FurtherIndex``)."""

    def __init__(self, encoder: SparseEncoder) -> None:
        self._encoder = encoder

    def require(self) -> None:
        """Do nothing: the encoder is there."""

    def write(self, catalog: Path, chunks: Iterator[list[StoredChunk]], end_row: int) -> None:
        """Encode the chunks below ``end_row`` and write their postings."""
        written = write_impacts(catalog / SPLADE, self._vectors(chunks))
        manifest = SpladeManifest(
            self._encoder.fingerprint, end_row, written.vectors, written.postings
        )
        (catalog / MANIFEST).write_bytes(msgspec.json.encode(manifest))

    def _vectors(self, chunks: Iterator[list[StoredChunk]]) -> Iterator[tuple[int, SparseVector]]:
        for batch in chunks:
            for chunk in batch:
                (vector,) = self._encoder.encode([chunk.text])
                yield chunk.row, vector


def open_splade(catalog: Path, encoder: SparseEncoder) -> SpladeSearcher | None:
    """Open the sparse vectors of a generation; ``None`` where there are none of this encoder."""
    if not (catalog / MANIFEST).exists():
        return None
    try:
        read_manifest(catalog, encoder)
        return SpladeSearcher(encoder, ImpactIndex(catalog / SPLADE))
    except IndexUnusable as error:
        _log.warning("%s (%s)", error.message, error.hint)
        return None


def read_manifest(catalog: Path, encoder: SparseEncoder) -> SpladeManifest:
    """Return what a generation's sparse vectors are.

    Raises ``IndexDamaged`` when that cannot be read, ``IndexForeign`` when another encoder made them.
    """
    path = catalog / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=SpladeManifest)
    except (OSError, *NOT_JSON) as error:
        raise IndexDamaged(
            f"{path} cannot be read: {error}", hint="run `codeintel compact`", value=str(path)
        ) from error
    if manifest.fingerprint != encoder.fingerprint:
        raise IndexForeign(
            f"the sparse vectors are those of {manifest.fingerprint}, not {encoder.fingerprint}",
            hint="run `codeintel compact`",
            value=manifest.fingerprint,
        )
    return manifest
