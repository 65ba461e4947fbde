"""What an index holds, in a form that two indexes of the same files share whatever their history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.types import ChunkRecord

QUESTION = "open a file and return its parsed value"
WORDS = ("def", "return", "value", "open", "number", "only", "edited", "added", "renamed")

SCORE_NOISE = 1e-4
"""Sums of float32 differ in their last digits with the shape of the block they are computed in."""


@dataclass(frozen=True, eq=False)
class Contents:
    """One snapshot of one repository."""

    chunks: frozenset[tuple[int, str, int, int]] = frozenset()
    """Id, path, first and last line of every chunk."""
    scores: Mapping[int, float] = field(default_factory=dict)
    """Every chunk's id and its score for one question: no vector may be missing or wrong."""
    matches: tuple[frozenset[int], ...] = ()
    """Which chunks match each of the words."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Contents)
            and self.chunks == other.chunks
            and self.matches == other.matches
            and self.scores.keys() == other.scores.keys()
            and all(abs(s - other.scores[at]) < SCORE_NOISE for at, s in self.scores.items())
        )

    def __hash__(self) -> int:
        return hash((self.chunks, self.matches))


NOTHING = Contents()


def contents(root: Path) -> Contents:
    """Return what the index of the folder ``root`` holds, as searches see it."""
    with open_index(root, refresh=False) as index:
        if not index.opened:  # killed before the repository was registered
            return NOTHING
        (opened,) = index.opened
        with opened.view() as view:
            return NOTHING if view is None else of_view(view)


def of_view(view: RepositoryView) -> Contents:
    """Return what one view holds."""
    mask = view.channels.mask
    records = all_rows(view)
    ids = {record.row: record.id for record in records}
    vector = StaticEmbedder().embed_query(QUESTION)
    rows, scores = view.channels.vectors.search(vector, len(records), mask)
    found = zip(rows.tolist(), scores.tolist(), strict=True)
    matches = tuple(
        frozenset(ids[int(r)] for r in view.channels.words.search([word], len(records), mask)[0])
        for word in WORDS
    )
    return Contents(
        frozenset((r.id, r.uri, r.start_line, r.end_line) for r in records),
        {ids[row]: score for row, score in found},
        matches,
    )


def all_rows(view: RepositoryView) -> list[ChunkRecord]:
    """Return every chunk of a view; each live row has one, in a file of the snapshot."""
    live = np.flatnonzero(view.channels.mask).tolist()
    assert len(view.catalog.heads(live)) == len(live), "a live row has no chunk"
    records = view.catalog.hydrate(live)
    assert len(records) == len(live), "a live row belongs to no file"
    return records


def fresh_build(root: Path, data_dir: Path) -> Contents:
    """Return what a new index of the folder ``root``, made in ``data_dir``, holds."""
    index_repositories([root], data_dir=data_dir, name=root.name)
    with open_index(root, data_dir=data_dir, refresh=False) as index:
        (opened,) = index.selected(None)
        with opened.view() as view:
            return NOTHING if view is None else of_view(view)
