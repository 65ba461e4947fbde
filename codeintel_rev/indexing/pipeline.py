"""Bringing a snapshot up to date: walk, compare, prepare what changed, store, switch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from codeintel_rev.indexing.changes import Changes, find_changes
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.indexing.embedding import ChunkEmbedder, embedded
from codeintel_rev.indexing.file_source import FileSource
from codeintel_rev.indexing.parse_note import ParseNote
from codeintel_rev.indexing.prepare import (
    SHA1_BYTES,
    PreparedFile,
    TermEmbedder,
    content_hash,
    prepare_files,
)
from codeintel_rev.indexing.store import RepositoryFolder, SnapshotChange, StoreWriter
from codeintel_rev.indexing.survey import Survey, encode_state
from codeintel_rev.io.journal import WORKTREE, FileRecord, Journal, JournalView
from codeintel_rev.types import FileEntry

POOL_FILES = 2_000
POOL_BYTES = 20_000_000
"""Above either, parse workers are started; below, their start-up costs more than they save."""

_BATCH_FILES = 64
_BATCH_BYTES = 400_000
"""One message to a worker: enough work to hide the pipe, small enough to show progress."""

_REREAD_FILES = 16
"""So many files that were edited a moment before they were read are compared by their bytes at each
refresh; with more, their new facts are recorded, so that the next refresh need not look again."""

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
    """What the journal knows of the paths that a survey looked at."""

    files: dict[str, FileRecord]
    skipped: dict[str, tuple[str, int, int, int]]
    head: tuple[str | None, str | None]
    tree_state: str | None
    sequence: int
    file_count: int
    skipped_count: int
    virgin: bool
    """Whether nothing was ever stored."""


class Refresher:
    """Refreshes one snapshot of one repository; its caller holds the writer lock."""

    def __init__(
        self,
        folder: RepositoryFolder,
        repo: str,
        source: FileSource,
        embedder: ChunkEmbedder,
        dim: int,
        options: RefreshOptions,
        ref: str = WORKTREE,
    ) -> None:
        self._folder = folder
        self._repo = repo
        self._source = source
        self._embedder = embedder
        self._dim = dim
        self._options = options
        self._ref = ref
        self._known: tuple[frozenset[str] | None, _Recorded] | None = None

    def is_current(self, survey: Survey) -> bool:
        """Return whether the snapshot already stands as surveyed; needs no lock."""
        recorded = self._recorded(survey.among)
        return (
            recorded.head == survey.head
            and recorded.tree_state == encode_state(survey.state)
            and self._same_files(survey, recorded)
        )

    def holds(self, survey: Survey) -> bool:
        """Return whether searches already see the files as surveyed; needs no lock."""
        return self._same_files(survey, self._recorded(survey.among))

    def changed_files(self, survey: Survey) -> int:
        """Return how many files were added, edited or removed since; needs no lock."""
        recorded = self._recorded(survey.among)
        changes = find_changes(survey.files, recorded.files, recorded.skipped)
        edited = sum(not self._same_bytes(entry, recorded) for entry in changes.candidates)
        return edited + len(changes.removed)

    def _same_files(self, survey: Survey, recorded: _Recorded) -> bool:
        changes = find_changes(survey.files, recorded.files, recorded.skipped)
        return (
            not changes.removed
            and len(changes.candidates) <= _REREAD_FILES
            and all(self._same_bytes(entry, recorded) for entry in changes.candidates)
            and not any(skipped.path in recorded.files for skipped in survey.skipped)
        )

    def _same_bytes(self, entry: FileEntry, recorded: _Recorded) -> bool:
        """Return whether a file that may have changed is what was recorded, cut as it was."""
        known = recorded.files.get(entry.path)
        if known is None or (known.size, known.chunker) != (entry.size, CHUNKER_VERSION):
            return False
        read = next(self._source.read([entry]))
        return read is not None and self._hash_of(entry.path) == content_hash(read.data)

    def _hash_of(self, path: str) -> bytes | None:
        journal = Journal(self._folder.journal)
        try:
            with journal.view() as view:
                snapshot = view.snapshot(self._ref)
                found = view.file(snapshot.id, path) if snapshot else None
                return found[1] if found else None
        finally:
            journal.close()

    def refresh(self, survey: Survey, progress: Progress) -> RefreshReport:
        """Store what changed and switch the snapshot in one last commit.

        Interrupted, it leaves the snapshot as it was; versions stored so far are found again by
        the next run.
        """
        recorded = self._recorded(survey.among)
        changes = find_changes(survey.files, recorded.files, recorded.skipped)
        writer = StoreWriter(self._folder, self._dim, bulk=_is_bulk(changes.candidates))
        try:
            return self._apply(writer, survey, recorded, changes, progress)
        finally:
            writer.close()

    def _apply(
        self,
        writer: StoreWriter,
        survey: Survey,
        recorded: _Recorded,
        changes: Changes,
        progress: Progress,
    ) -> RefreshReport:
        kept = {entry.path for entry in survey.files} - {e.path for e in changes.candidates}
        skipped = {s.path: (s.path, s.reason, 0, 0, 0) for s in survey.skipped}
        skipped |= {
            path: (path, *facts)
            for path, facts in recorded.skipped.items()
            if path in kept and path not in recorded.files
        }
        updated, lines = self._store(
            writer, changes.candidates, skipped, progress, virgin=recorded.virgin
        )
        removed = {*changes.removed, *(path for path in skipped if path in recorded.files)}
        progress("commit", 0, 1, lines)
        sequence = writer.switch(
            self._ref,
            SnapshotChange(
                head=survey.head,
                tree_state=encode_state(survey.state, _moved(changes.candidates, updated)),
                updated=updated,
                removed=sorted(removed),
                skipped=list(skipped.values()),
                among=survey.among,
            ),
        )
        progress("commit", 1, 1, lines)
        known = [recorded.files.get(entry.path) for entry, _, _ in updated]
        added = known.count(None)
        changed = sum(
            file is not None and file.version_id != version_id
            for file, (_, version_id, _) in zip(known, updated, strict=True)
        )
        return RefreshReport(
            sequence=sequence,
            added=added,
            changed=changed,
            removed=len(removed),
            unchanged=recorded.file_count - changed - len(removed),
            skipped=recorded.skipped_count - len(recorded.skipped) + len(skipped),
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
        if entry.oid:
            stored = writer.known_blob(entry.path, entry.oid)
            if stored is not None:
                return entry, stored, time.time_ns()
            if len(entry.oid) == SHA1_BYTES:  # every stored version knows its SHA-1 name
                return None
        read = next(self._source.read([entry]))
        if read is None:
            return None
        version_id = writer.known_version(entry.path, content_hash(read.data))
        return None if version_id is None else (read.entry, version_id, read.scanned_ns)

    def _prepare(self, entries: Sequence[FileEntry]) -> Iterator[list[PreparedFile]]:
        embedder = self._embedder
        if isinstance(embedder, TermEmbedder):
            yield from self._cut(entries, embedder)
        else:
            yield from embedded(self._cut(entries, None), embedder)

    def _cut(
        self, entries: Sequence[FileEntry], embedder: TermEmbedder | None
    ) -> Iterator[list[PreparedFile]]:
        """Yield prepared files, without their vectors where the embedder takes no terms."""
        if _is_bulk(entries):
            yield from self._in_workers(entries, self._options.workers or os.cpu_count() or 1)
            return
        with ParseNote(self._folder.parse_note) as note:
            suspects, others = note.divide(entries)
            if suspects:
                yield from self._in_workers(suspects, 1)
            for batch in _batches(others):
                note.write(entry.path for entry in batch)
                yield prepare_files(self._repo, self._source, batch, embedder)

    def _in_workers(
        self, entries: Sequence[FileEntry], workers: int
    ) -> Iterator[list[PreparedFile]]:
        from codeintel_rev.indexing.parse_pool import ParsePool

        embeds = isinstance(self._embedder, TermEmbedder)
        pool = ParsePool(workers, self._repo, self._source, self._options.model, embeds=embeds)
        try:
            yield from pool.run(list(_batches(entries)))
        finally:
            pool.close()

    def _recorded(self, among: frozenset[str] | None) -> _Recorded:
        """Return what is known of ``among``; read once a sequence."""
        journal = Journal(self._folder.journal)
        try:
            with journal.view() as view:
                known = self._known
                if known is not None and (known[0], known[1].sequence) == (among, view.sequence):
                    return known[1]
                recorded = self._read(view, among)
                self._known = (among, recorded)
                return recorded
        finally:
            journal.close()

    def _read(self, view: JournalView, among: frozenset[str] | None) -> _Recorded:
        virgin = view.meta()["reserved_rows"] == 0
        snapshot = view.snapshot(self._ref)
        if snapshot is None:
            return _Recorded({}, {}, (None, None), None, view.sequence, 0, 0, virgin)
        file_count, skipped = view.counts(snapshot.id)
        return _Recorded(
            files=view.files(snapshot.id, among),
            skipped=view.skipped(snapshot.id, among),
            head=snapshot.head,
            tree_state=snapshot.tree_state,
            sequence=view.sequence,
            file_count=file_count,
            skipped_count=sum(skipped.values()),
            virgin=virgin,
        )


def unchanged(folder: RepositoryFolder, ref: str = WORKTREE) -> RefreshReport:
    """Return the report of a refresh that found nothing to do."""
    journal = Journal(folder.journal)
    try:
        with journal.view() as view:
            snapshot = view.snapshot(ref)
            files, skipped = view.counts(snapshot.id) if snapshot else (0, {})
            total = sum(skipped.values())
            return RefreshReport(view.sequence, unchanged=files, skipped=total)
    finally:
        journal.close()


def _moved(
    candidates: Sequence[FileEntry], updated: list[tuple[FileEntry, int, int]]
) -> frozenset[str]:
    """Return the files that changed between the survey and their reading."""
    surveyed = {entry.path: entry for entry in candidates}
    return frozenset(entry.path for entry, _, _ in updated if entry != surveyed[entry.path])


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
