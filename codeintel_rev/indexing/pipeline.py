"""Bringing a snapshot up to date: walk, compare, prepare what changed, store, switch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from codeintel_rev.indexing.changes import Changes, find_changes
from codeintel_rev.indexing.parse_pool import ParsePool
from codeintel_rev.indexing.prepare import (
    PreparedFile,
    TermEmbedder,
    content_hash,
    prepare_files,
    read_file,
)
from codeintel_rev.indexing.store import RepositoryFolder, StoreWriter
from codeintel_rev.indexing.walker import WalkResult
from codeintel_rev.io.journal import WORKTREE, FileRecord, Journal
from codeintel_rev.types import FileEntry

POOL_FILES = 2_000
POOL_BYTES = 20_000_000
"""Above either, parse workers are started; below, their start-up costs more than they save."""

_BATCH_FILES = 64
_BATCH_BYTES = 400_000
"""One message to a worker: enough work to hide the pipe, small enough to show progress."""

_COMMIT_CHUNKS = 16_000
"""Chunks gathered before a commit: bounds memory, and is what a kill can cost."""


class Progress(Protocol):
    """Told how far a long run is."""

    def __call__(self, stage: str, done: int, total: int, lines: int) -> None:
        """Report ``done`` of ``total`` files of a stage (``scan``, ``index``, ``commit``)."""
        ...


class RefreshOptions(NamedTuple):
    """How a refresh runs."""

    workers: int = 0
    """Parse workers; 0 means one a core."""
    model: Path | None = None
    """Model file for the workers."""


class RefreshReport(NamedTuple):
    """What one refresh did to one repository."""

    sequence: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    lines: int = 0


class _Recorded(NamedTuple):
    files: dict[str, FileRecord]
    skipped: dict[str, tuple[str, int, int, int]]
    head: tuple[str | None, str | None]
    sequence: int
    virgin: bool
    """Whether nothing was ever stored."""


class Refresher:
    """Refreshes the working-tree snapshot of one repository; its caller holds the writer lock."""

    def __init__(
        self,
        folder: RepositoryFolder,
        repo: str,
        root: Path,
        embedder: TermEmbedder,
        dim: int,
        options: RefreshOptions,
    ) -> None:
        self._folder = folder
        self._repo = repo
        self._root = root
        self._embedder = embedder
        self._dim = dim
        self._options = options

    def refresh(
        self, walked: WalkResult, head: tuple[str | None, str | None], progress: Progress
    ) -> RefreshReport:
        """Store what changed and switch the snapshot in one last commit.

        ``head`` is (branch, commit). Interrupted, it leaves the snapshot as it was; versions
        stored so far are found again by the next run.
        """
        recorded = self._recorded()
        changes = find_changes(walked.files, recorded.files, recorded.skipped)
        if not changes.candidates and not changes.removed and recorded.head == head:
            skipped = len(recorded.skipped)
            return RefreshReport(recorded.sequence, unchanged=changes.unchanged, skipped=skipped)
        bulk = _is_bulk(changes.candidates)
        writer = StoreWriter(self._folder, self._dim, bulk=bulk)
        try:
            return self._apply(writer, walked, head, recorded, changes, progress)
        finally:
            writer.close()

    def _apply(
        self,
        writer: StoreWriter,
        walked: WalkResult,
        head: tuple[str | None, str | None],
        recorded: _Recorded,
        changes: Changes,
        progress: Progress,
    ) -> RefreshReport:
        skipped = {s.path: (s.path, s.reason, 0, 0, 0) for s in walked.skipped}
        candidates = {entry.path for entry in changes.candidates}
        present = {entry.path for entry in walked.files}
        for path, facts in recorded.skipped.items():
            if path in present and path not in candidates and path not in recorded.files:
                skipped[path] = (path, *facts)
        updated, lines = self._store(
            writer, changes.candidates, skipped, progress, virgin=recorded.virgin
        )
        removed = [*changes.removed, *(path for path in skipped if path in recorded.files)]
        progress("commit", 0, 1, lines)
        sequence = writer.switch(WORKTREE, head, updated, removed, skipped.values())
        progress("commit", 1, 1, lines)
        added = sum(entry.path not in recorded.files for entry, _, _ in updated)
        return RefreshReport(
            sequence=sequence,
            added=added,
            changed=len(updated) - added,
            removed=len(set(removed)),
            unchanged=changes.unchanged,
            skipped=len(skipped),
            lines=lines,
        )

    def _store(
        self,
        writer: StoreWriter,
        candidates: Sequence[FileEntry],
        skipped: dict[str, tuple[str, str, int, int, int]],
        progress: Progress,
        *,
        virgin: bool,
    ) -> tuple[list[tuple[FileEntry, int, int]], int]:
        """Store every candidate; fills ``skipped``; returns the new versions and their lines."""
        updated: list[tuple[FileEntry, int, int]] = []
        pending: list[PreparedFile] = []
        done = lines = chunks = 0
        total = len(candidates)
        todo = []
        for entry in candidates:
            version = None if virgin else self._stored_version(writer, entry)
            if version is None:
                todo.append(entry)
            else:
                updated.append(version)
                done += 1
        progress("index", done, total, lines)
        for batch in self._prepare(todo):
            for file in batch:
                if file.skip_reason is not None:
                    entry = file.entry
                    stat = (entry.size, entry.mtime_ns, entry.inode)
                    skipped[entry.path] = (entry.path, file.skip_reason, *stat)
                    continue
                pending.append(file)
                chunks += len(file.chunks)
                lines += file.line_count
            done += len(batch)
            progress("index", done, total, lines)
            if chunks >= _COMMIT_CHUNKS:
                updated += writer.add_versions(pending)
                pending, chunks = [], 0
        updated += writer.add_versions(pending)
        return updated, lines

    def _stored_version(
        self, writer: StoreWriter, entry: FileEntry
    ) -> tuple[FileEntry, int, int] | None:
        """Return the version of a file whose bytes are in the store already."""
        read = read_file(self._root, entry)
        if read is None:
            return None
        data, scanned_ns = read
        version_id = writer.known_version(entry.path, content_hash(data))
        return None if version_id is None else (entry, version_id, scanned_ns)

    def _prepare(self, entries: Sequence[FileEntry]) -> Iterator[list[PreparedFile]]:
        batches = list(_batches(entries))
        if not _is_bulk(entries):
            for batch in batches:
                yield prepare_files(self._repo, self._root, batch, self._embedder)
            return
        workers = self._options.workers or os.cpu_count() or 1
        pool = ParsePool(workers, self._repo, self._root, self._options.model)
        try:
            yield from pool.run(batches)
        finally:
            pool.close()

    def _recorded(self) -> _Recorded:
        journal = Journal(self._folder.journal)
        try:
            with journal.view() as view:
                virgin = view.meta()["reserved_rows"] == 0
                snapshot = view.snapshot()
                if snapshot is None:
                    return _Recorded({}, {}, (None, None), view.sequence, virgin)
                head = (snapshot.branch, snapshot.commit)
                files, skipped = view.files(snapshot.id), view.skipped(snapshot.id)
                return _Recorded(files, skipped, head, view.sequence, virgin)
        finally:
            journal.close()


def _is_bulk(entries: Sequence[FileEntry]) -> bool:
    return len(entries) > POOL_FILES or sum(entry.size for entry in entries) > POOL_BYTES


def _batches(entries: Sequence[FileEntry]) -> Iterator[list[FileEntry]]:
    batch: list[FileEntry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) >= _BATCH_FILES or size + entry.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch
