"""Where each chunk stands in the snapshots at one sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.journal_compaction import Ref, StoredChunk, StoredVersion
from codeintel_rev.io.parquet_store import CatalogRow


class _Shown(NamedTuple):
    """What all chunks of one file version have in common."""

    content_hash: str
    commit: str | None
    ref: str
    refs: list[str]


class Places:
    """Joins chunks with the file versions that snapshots hold, a batch of chunks at a time."""

    def __init__(
        self, repo: str, versions: Sequence[StoredVersion], refs: Mapping[int, Ref]
    ) -> None:
        self._repo = repo
        held = [version for version in versions if version.snapshots]
        self._shown = [_shown(version, refs) for version in held]
        spans = [version.spans[:, :3] for version in held]
        rows = np.concatenate([np.zeros((0, 3), dtype=np.int32), *spans])
        owners = np.repeat(np.arange(len(spans)), [len(part) for part in spans])
        order = np.argsort(rows[:, 0], kind="stable")
        self._spans = rows[order]
        self._owners = owners[order]

    def of(self, chunks: Sequence[StoredChunk]) -> tuple[list[CatalogRow], NDArray[np.int64]]:
        """Return the places of ``chunks``, which ascend by row, and the chunk of each place."""
        numbers = np.array([chunk.row for chunk in chunks])
        first, last = np.searchsorted(self._spans[:, 0], [numbers[0], numbers[-1] + 1])
        at = np.searchsorted(numbers, self._spans[first:last, 0])
        places = zip(
            at.tolist(),
            self._spans[first:last].tolist(),
            self._owners[first:last].tolist(),
            strict=True,
        )
        rows = [self._row(chunks[chunk], span, self._shown[owner]) for chunk, span, owner in places]
        return rows, at

    def _row(self, chunk: StoredChunk, span: Sequence[int], shown: _Shown) -> CatalogRow:
        return CatalogRow(
            row=chunk.row,
            id=chunk.id,
            repo=self._repo,
            uri=chunk.path,
            start_line=span[1],
            end_line=span[2],
            lang=chunk.lang,
            content=chunk.text,
            symbol=chunk.symbol,
            kind=chunk.kind,
            content_hash=shown.content_hash,
            commit=shown.commit,
            ref=shown.ref,
            refs=shown.refs,
        )


def _shown(version: StoredVersion, refs: Mapping[int, Ref]) -> _Shown:
    by = [refs[snapshot] for snapshot in version.snapshots]
    return _Shown(version.content_hash.hex(), by[0].commit, by[0].ref, [ref.ref for ref in by])
