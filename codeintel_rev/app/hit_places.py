"""Where hits stand: in which snapshot, at which lines now, and where else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from codeintel_rev.app.freshness import Standing, standing
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.app.snapshot_choice import label
from codeintel_rev.indexing.survey import decode_state
from codeintel_rev.io.journal import FileRecord, Snapshot
from codeintel_rev.types import ChunkRecord, SearchHit

Holder = tuple[Snapshot, ChunkRecord]
"""A snapshot, and how a chunk stands in it."""


def placed_hits(view: RepositoryView, hits: Sequence[SearchHit], limit: int) -> list[SearchHit]:
    """Return the best ``limit`` hits with their ref, present lines and freshness.

    Where several snapshots are searched, hits of one (path, symbol) in different snapshots become
    the best of them; its ``locations`` name the others.
    """
    if len(view.snapshots) == 1:
        shown = hits[:limit]
        known = _files(view, view.snapshot, shown)
        return [_placed(view, view.snapshot, hit, known.get(hit.uri)) for hit in shown]
    groups: list[Group] = []
    for hit in hits:
        holders = view.catalog.holders(hit.row)
        group = next((group for group in groups if group.takes(hit, holders)), None)
        if group is not None:
            group.holders += holders
        elif holders:
            groups.append(Group(hit, holders))
    return [placed_group(view, group) for group in groups[:limit]]


def placed_group(view: RepositoryView, group: Group) -> SearchHit:
    """Return the best hit of a group as its first holder has it; ``locations`` name the others."""
    snapshot = group.holders[0][0]
    known = _files(view, snapshot, [group.best])
    hit = _placed(view, snapshot, group.best, known.get(group.best.uri))
    return replace(hit, locations=group.locations())


@dataclass(slots=True)
class Group:
    """Hits that are one thing in several snapshots."""

    best: SearchHit
    holders: list[Holder]

    def takes(self, hit: SearchHit, holders: Sequence[Holder]) -> bool:
        """Return whether ``hit`` is the same thing elsewhere.

        Two pieces that stand in one snapshot are two things, whatever they are called. Pieces
        without a symbol are the same when their lines overlap.
        """
        best = self.best
        if (hit.uri, hit.symbol) != (best.uri, best.symbol):
            return False
        if {s.id for s, _ in holders} & {s.id for s, _ in self.holders}:
            return False
        overlap = hit.start_line <= best.end_line and best.start_line <= hit.end_line
        return bool(hit.symbol) or overlap

    def locations(self) -> tuple[dict[str, Any], ...]:
        """Return the places beside the first."""
        return tuple(
            {
                "ref": label(snapshot),
                "commit": snapshot.commit,
                "uri": record.uri,
                "start_line": record.start_line,
                "end_line": record.end_line,
                "content_hash": record.content_hash,
            }
            for snapshot, record in self.holders[1:]
        )


def _files(
    view: RepositoryView, snapshot: Snapshot, hits: Sequence[SearchHit]
) -> dict[str, FileRecord]:
    """Return how a work tree's snapshot recorded the files of ``hits``; nothing of a commit's."""
    if view.root_of(snapshot) is None:
        return {}
    return view.catalog.records(snapshot, {hit.uri for hit in hits})


def _placed(
    view: RepositoryView, snapshot: Snapshot, hit: SearchHit, known: FileRecord | None
) -> SearchHit:
    root = view.root_of(snapshot)
    now = Standing(hit.start_line, hit.end_line, hit.content_hash, stale=False)
    if root is not None and known is not None:
        now = standing(root, known, hit.code, now)
    unsure = root is not None and snapshot.tree_state is None  # git does not vouch for its files
    edited = unsure or (root is not None and hit.uri in uncommitted(snapshot.tree_state))
    return replace(
        hit,
        repo=view.repository.name,
        ref=label(snapshot),
        commit=None if edited else snapshot.commit,
        start_line=now.start_line,
        end_line=now.end_line,
        content_hash=now.content_hash,
        stale=now.stale,
    )


@lru_cache(maxsize=8)
def uncommitted(tree_state: str | None) -> frozenset[str]:
    """Return the files of a work tree that its commit does not hold as they are."""
    state = decode_state(tree_state)
    return frozenset() if state is None else state.uncommitted
