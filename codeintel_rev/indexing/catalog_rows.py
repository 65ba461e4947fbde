"""Where each chunk stands in the snapshots at one sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.journal_compaction import Ref, StoredChunk, StoredVersion
from codeintel_rev.io.parquet_store import CatalogRow


class Places:
    """Joins chunks with the file versions that snapshots hold, a batch of chunks at a time."""

    def __init__(
        self, repo: str, versions: Sequence[StoredVersion], refs: Mapping[int, Ref]
    ) -> None:
        self._repo = repo
        self._refs = refs
        self._versions = [version for version in versions if version.snapshots]
        spans = [version.spans[:, :3] for version in self._versions]
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
        rows = [
            self._row(chunks[chunk], place)
            for chunk, place in zip(at.tolist(), range(first, last), strict=True)
        ]
        return rows, at

    def _row(self, chunk: StoredChunk, place: int) -> CatalogRow:
        _, start_line, end_line = self._spans[place].tolist()
        version = self._versions[self._owners[place]]
        shown = [self._refs[snapshot] for snapshot in version.snapshots]
        return CatalogRow(
            row=chunk.row,
            id=chunk.id,
            repo=self._repo,
            uri=chunk.path,
            start_line=start_line,
            end_line=end_line,
            lang=chunk.lang,
            content=chunk.text,
            symbol=chunk.symbol,
            kind=chunk.kind,
            content_hash=version.content_hash.hex(),
            commit=shown[0].commit,
            ref=shown[0].ref,
            refs=[ref.ref for ref in shown],
        )
