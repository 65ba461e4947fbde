"""One repository's folder in a data directory: where its files lie, and one commit to them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from codeintel_rev.errors import IndexMissing
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.indexing.prepare import PreparedChunk, PreparedFile
from codeintel_rev.io import file_lock, journal_faults, journal_schema, storage_failure
from codeintel_rev.io.journal import WORKTREE, Journal, Snapshot
from codeintel_rev.io.journal_writer import JournalWriter, NewChunk, NewVersion
from codeintel_rev.io.packing import Span, unpack_text
from codeintel_rev.io.vector_store import Segment, VectorWriter
from codeintel_rev.io.vector_sums import extended, pack_runs, unpack_runs
from codeintel_rev.retrieval.lexical_schema import create_index
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument, TantivyWriter
from codeintel_rev.types import FileEntry


class RepositoryFolder(NamedTuple):
    """Paths inside ``repos/<key>/``."""

    path: Path

    @property
    def journal(self) -> Path:
        """The record of everything, and the commit point."""
        return self.path / "state.sqlite"

    @property
    def vectors(self) -> Path:
        """Folder of the vector segments."""
        return self.path / "vectors"

    def lexical(self, generation: int) -> Path:
        """Folder of one generation of the lexical index."""
        return self.path / "lexical" / str(generation)

    def catalog(self, generation: int) -> Path:
        """Folder of one generation of the catalog."""
        return self.path / "catalog" / str(generation)

    @property
    def locks(self) -> Path:
        """Folder of the lock files."""
        return self.path / "locks"

    def generation_lock(self, generation: int) -> Path:
        """Lock file that readers of a generation share."""
        return self.locks / f"generation-{generation}"

    @property
    def compactor_lock(self) -> Path:
        """Lock file held while a new generation is built."""
        return self.locks / "compactor"

    @property
    def writer_lock(self) -> Path:
        """Lock file held while a commit is made."""
        return self.locks / "writer"

    @property
    def refresher_lock(self) -> Path:
        """Lock file held by whoever watches the repository."""
        return self.locks / "refresher"

    @property
    def parse_note(self) -> Path:
        """File that says what is being parsed (``parse_note``)."""
        return self.path / "parsing"

    @property
    def is_made(self) -> bool:
        """Whether the folder holds a journal."""
        return journal_schema.is_made(self.journal)

    def create(self, components: dict[str, str]) -> None:
        """Make the folder with an empty journal, unless it is there.

        What a lost journal has left is removed first: its rows would mean other chunks. Raises
        ``IndexMissing`` when the data directory is gone, ``StorageFailed`` when nothing can be
        written to it.
        """
        try:
            # one by one, without parents: a data directory that went stays gone
            with storage_failure.explained(self.path.parent.parent):
                for folder in (self.path.parent, self.path, self.locks):
                    folder.mkdir(exist_ok=True)
        except FileNotFoundError as error:
            raise IndexMissing(
                f"the data directory {self.path.parent.parent} is gone",
                hint="run `codeintel index` first",
                value=str(self.path.parent.parent),
            ) from error
        with self.writing():
            if self.is_made:
                return
            for leftover in (self.vectors, self.path / "lexical", self.path / "catalog"):
                shutil.rmtree(leftover, ignore_errors=True)
            self.vectors.mkdir(parents=True)
            create_index(self.lexical(0))
            self.generation_lock(0).touch()
            journal_schema.create(self.journal, components)

    def state(self, ref: str = WORKTREE) -> tuple[Snapshot | None, dict[str, object]]:
        """Return a snapshot and the journal's versions and counters."""
        journal = Journal(self.journal)
        try:
            with journal.view() as view:
                return view.snapshot(ref), view.meta()
        finally:
            journal.close()

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot that is held, in the order in which they were first taken."""
        journal = Journal(self.journal)
        try:
            with journal.view() as view:
                return view.snapshots()
        finally:
            journal.close()

    @contextmanager
    def writing(
        self, *, timeout_s: float | None = None, on_wait: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Hold the writer lock.

        Raises ``Busy``, ``StorageFailed`` when the disk is full, and ``IndexDamaged`` when the
        journal turns out to be.
        """
        with (
            storage_failure.explained(self.path),
            file_lock.hold(self.writer_lock, timeout_s=timeout_s, on_wait=on_wait),
            journal_faults.explained(self.journal),
        ):
            yield


class SnapshotChange(NamedTuple):
    """How a snapshot moves on."""

    head: tuple[str | None, str | None]
    """Branch and commit."""
    tree_state: str | None
    updated: list[tuple[FileEntry, int, int]]
    """New versions: (entry, version id, when it was read)."""
    removed: list[str]
    skipped: list[tuple[str, str, int, int, int]]
    """Skipped files: (path, reason, size, mtime_ns, inode)."""
    among: frozenset[str] | None = None
    """The only paths that ``skipped`` speaks of; ``None`` = all."""


class _Placement(NamedTuple):
    """Where a file's chunks go: rows in the order of its chunks, and which of them are new."""

    file: PreparedFile
    rows: list[int]
    fresh: list[int]


class StoreWriter:
    """Stores prepared files; its caller holds the writer lock.

    The order of a commit is: reserve rows, write vectors, commit the words, commit the journal.
    A crash before the last step leaves rows that no snapshot names.
    """

    def __init__(self, folder: RepositoryFolder, dim: int, *, bulk: bool) -> None:
        self._folder = folder
        self._dim = dim
        self._bulk = bulk
        self._journal = JournalWriter(folder.journal)
        self._words: TantivyWriter | None = None

    def close(self) -> None:
        """Release the journal and the lexical writer."""
        self._journal.close()
        if self._words is not None:
            self._words.close()

    def known_version(self, path: str, content_hash: bytes) -> int | None:
        """Return the stored version of ``path`` with these bytes, if any."""
        return self._journal.find_version(path, content_hash, CHUNKER_VERSION)

    def known_blob(self, path: str, oid: bytes) -> int | None:
        """Return the stored version of ``path`` that git calls ``oid``, if any."""
        return self._journal.find_blob(path, oid, CHUNKER_VERSION)

    def add_versions(self, files: Iterable[PreparedFile]) -> list[tuple[FileEntry, int, int]]:
        """Store versions in one commit; no snapshot changes yet.

        Returns (entry, version id, when it was read) of each file.
        """
        placements = self._place(files)
        segment = self._write_vectors(placements)
        self._write_words(placements)
        with self._journal.transaction():
            if segment is not None:
                self._journal.set_checksum(segment)
            return [(p.file.entry, self._record(p), p.file.scanned_ns) for p in placements]

    def switch(self, ref: str, change: SnapshotChange) -> int:
        """Move a snapshot to new file versions in one commit; returns the sequence."""
        journal = self._journal
        with journal.transaction():
            snapshot_id = journal.ensure_snapshot(ref)
            journal.set_head(Snapshot(snapshot_id, ref, *change.head, change.tree_state))
            touched = [entry.path for entry, _, _ in change.updated] + change.removed
            left = journal.versions_of(snapshot_id, touched)
            dead = journal.rows_of_versions(left)
            journal.retire(left, time.time_ns())
            journal.remove_files(snapshot_id, change.removed)
            journal.set_files(snapshot_id, change.updated)
            journal.set_skipped(snapshot_id, change.skipped, change.among)
            born = journal.rows_of_versions([version_id for _, version_id, _ in change.updated])
            journal.update_live(snapshot_id, dead, born)
        return journal.sequence()

    def remove(self, ref: str) -> int:
        """Forget a snapshot in one commit; returns the sequence."""
        with self._journal.transaction():
            self._journal.remove_snapshot(ref)
        return self._journal.sequence()

    # --- one commit's steps -------------------------------------------------------------------

    def _place(self, files: Iterable[PreparedFile]) -> list[_Placement]:
        """Give every chunk a row: the one it already has, or a new one."""
        placements, fresh_chunks = [], 0
        for file in files:
            rows = [self._known_row(chunk) for chunk in file.chunks]
            fresh = [at for at, row in enumerate(rows) if row < 0]
            fresh_chunks += len(fresh)
            placements.append(_Placement(file, rows, fresh))
        row = self._journal.reserve(fresh_chunks) if fresh_chunks else 0
        for placement in placements:
            for at in placement.fresh:
                placement.rows[at] = row
                row += 1
        return placements

    def _known_row(self, chunk: PreparedChunk) -> int:
        row = self._journal.find_chunk(chunk.id)
        if row is None:
            return -1
        self._journal.assert_same_text(row, unpack_text(chunk.content))
        return row

    def _write_vectors(self, placements: list[_Placement]) -> Segment | None:
        """Append the vectors of new rows; returns their segment with its checksum, if there are any."""
        blocks = [
            p.file.vectors[p.fresh] for p in placements if p.fresh and p.file.vectors is not None
        ]
        if not blocks:
            return None
        segment = self._journal.open_segment()
        first = next(p.rows[p.fresh[0]] for p in placements if p.fresh)
        writer = VectorWriter(self._folder.vectors / segment.file, self._dim, segment.first_row)
        vectors = np.concatenate(blocks)
        writer.append(first, vectors)
        runs = unpack_runs(segment.checksum)
        runs = extended(runs, first - segment.first_row, vectors)
        return segment._replace(checksum=pack_runs(runs))

    def _write_words(self, placements: list[_Placement]) -> None:
        documents = [
            LexicalDocument(
                p.rows[at], c.body_terms, c.symbol_terms, p.file.path_terms, c.doc_terms
            )
            for p in placements
            for at in p.fresh
            for c in (p.file.chunks[at],)
        ]
        if not documents:
            return
        if self._words is None:
            self._words = TantivyWriter(
                self._folder.lexical(self._journal.generation()), bulk=self._bulk
            )
        self._words.add(documents)
        self._words.commit()

    def _record(self, placement: _Placement) -> int:
        file, rows, fresh = placement
        path_id = self._journal.path_id(file.entry.path)
        self._journal.add_chunks(
            NewChunk(rows[at], c.id, path_id, file.lang, c.kind, c.symbol, c.content)
            for at in fresh
            for c in (file.chunks[at],)
        )
        version = NewVersion(
            path_id,
            file.content_hash,
            CHUNKER_VERSION,
            file.lang,
            file.entry.size,
            file.line_count,
            file.oid,
            " ".join(f"{secret.line}:{secret.kind}" for secret in file.secrets),
        )
        spans: list[Span] = [c.placed(row) for c, row in zip(file.chunks, rows, strict=True)]
        return self._journal.add_version(version, spans, file.symbols)
