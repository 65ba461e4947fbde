"""Compaction: a new generation beside the old one, without what nobody can see any more.

Under the writer lock the dead rows are dropped from the journal and the vector segment is sealed;
without it the new vectors, words and catalog are built from the rows that were sealed; under the
lock again the words of newer rows are added, and one commit lets the new generation serve. Killed
anywhere, the old generation serves on and the next compaction removes what was left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.indexing.catalog_rows import Places
from codeintel_rev.indexing.generations import collect
from codeintel_rev.indexing.prepare import TermEmbedder
from codeintel_rev.indexing.rebuilding import embed_documents, lexical_document
from codeintel_rev.indexing.retention import retain
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import vector_store
from codeintel_rev.io.catalog_builder import CHUNKS_FILE, build_catalog
from codeintel_rev.io.durability import sync, sync_tree
from codeintel_rev.io.journal_compaction import JournalCompaction, Sealed
from codeintel_rev.io.nearest_index import BUILT_FROM, FetchedRows, build_nearest
from codeintel_rev.io.parquet_store import ChunksWriter
from codeintel_rev.io.vector_store import Segment, SegmentBuilder, VectorReader
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument, TantivyWriter
from codeintel_rev.text.code_tokenizer import tokenize

_TITLES = 200
"""First sentences of docstrings on which the search of very many vectors is tuned: they miss and
find what the questions of people do, while a stored vector finds its neighbours too easily."""

_REPLAY_ROWS = 1_000
"""More rows than these that came meanwhile are replayed before the writer lock is taken."""

Report = Callable[[int, int], None]
"""Told how many of how many chunks are done."""

Writing = Callable[[], AbstractContextManager[None]]
"""Holds the writer lock for a block."""


class Compacted(NamedTuple):
    """What one compaction did to one repository."""

    generation: int
    sequence: int
    chunks: int
    """Chunks that the new generation was built from."""
    dropped: int
    """Chunks that nobody could see."""
    still_read: int
    """Superseded generations whose files stay until their readers let go."""


class Compactor:
    """Compacts one repository; its caller holds the compactor lock."""

    def __init__(
        self,
        folder: RepositoryFolder,
        repo: str,
        dim: int,
        writing: Writing,
        *,
        embedder: TermEmbedder | None = None,
        versions: Mapping[str, str] | None = None,
        asker: TermEmbedder | None = None,
        nearest_from: int = BUILT_FROM,
        materialize: bool = False,
    ) -> None:
        """Copy vectors as they are, or make words and vectors anew with ``embedder``.

        The generation that is built is recorded as made with the component ``versions``. From
        ``nearest_from`` vectors on, it has an index of them; ``asker`` embeds the queries that this
        is tuned on. The catalog is a view of its Parquet file, or a copy with ``materialize``.
        """
        self._materialize = materialize
        self._folder = folder
        self._repo = repo
        self._dim = dim
        self._writing = writing
        self._embedder = embedder
        self._versions = versions or {}
        self._asker = asker or embedder
        self._nearest_from = nearest_from

    def run(self, report: Report) -> Compacted:
        """Build the next generation, let it serve, and delete those that nobody reads."""
        journal = JournalCompaction(self._folder.journal)
        try:
            self._collect(journal)  # what a killed compaction left
            try:
                with self._writing():
                    sealed = self._seal(journal)
                segment = self._build(journal, sealed, report)
                sequence = self._swap(journal, sealed, segment)
                journal.give_back_space()
            finally:
                still_read = self._collect(journal)
            generation = sealed.generation + 1
            return Compacted(generation, sequence, sealed.chunks, sealed.dropped, still_read)
        finally:
            journal.close()

    def _collect(self, journal: JournalCompaction) -> int:
        return collect(self._folder, journal.meta("generation"), journal.segments())

    def _seal(self, journal: JournalCompaction) -> Sealed:
        end_row = journal.meta("reserved_rows")
        for segment in journal.segments():
            if segment.end_row is None and segment.first_row < end_row:
                path = self._folder.vectors / segment.file
                vector_store.grow(path, end_row - segment.first_row, self._dim)
        return journal.seal(partial(retain, now_ns=time.time_ns()))

    def _build(self, journal: JournalCompaction, sealed: Sealed, report: Report) -> Segment | None:
        """Write vectors, words and catalog of the sealed rows; returns the vectors' segment."""
        generation = sealed.generation + 1
        catalog = self._folder.catalog(generation)
        catalog.mkdir(parents=True)
        marks = {"sequence": sealed.sequence, "end_row": sealed.end_row}
        words = TantivyWriter(self._folder.lexical(generation), bulk=True, create=True)
        try:
            with (
                ChunksWriter(catalog / CHUNKS_FILE, self._dim, **marks) as chunks,
                SegmentBuilder(
                    self._folder.vectors, f"generation-{generation}.f16", sealed.end_row
                ) as vectors,
            ):
                self._fill(journal, sealed, (words, vectors, chunks), report)
                segment = vectors.finish()
            words.commit()
        finally:
            words.close()
        self._index_nearest(journal, catalog, segment)
        build_catalog(catalog, materialize=self._materialize)
        sync_tree(catalog)
        sync(self._folder.vectors)
        return segment if sealed.chunks else None

    def _index_nearest(self, journal: JournalCompaction, folder: Path, segment: Segment) -> None:
        """Build an index of the vectors in ``folder``, when they are very many."""
        if (segment.length or 0) < self._nearest_from:
            return
        queries = np.zeros((0, self._dim), dtype=np.float32)
        if self._asker is not None:
            titles = [tokenize(title) for title in journal.titles(_TITLES)]
            queries = self._asker.embed_terms(titles)
            queries = queries[queries.any(axis=1)]
        reader = VectorReader(self._folder.vectors, [segment], self._dim, segment.end_row or 0)
        build_nearest(folder, FetchedRows(reader.gather, len(reader.rows), self._dim), queries)

    def _fill(
        self,
        journal: JournalCompaction,
        sealed: Sealed,
        targets: tuple[TantivyWriter, SegmentBuilder, ChunksWriter],
        report: Report,
    ) -> None:
        words, vectors, catalog = targets
        places = Places(self._repo, sealed.versions, sealed.refs)
        halves_of = self._vector_source(journal, sealed)
        done = 0
        report(done, sealed.chunks)
        for batch in journal.chunks(0, sealed.end_row):
            documents = [lexical_document(chunk) for chunk in batch]
            words.add(documents)
            numbers = np.array([chunk.row for chunk in batch], dtype=np.int64)
            halves = halves_of(numbers, documents)
            vectors.add(numbers, halves)
            rows, at = places.of(batch)
            catalog.add(rows, halves[at])
            done += len(batch)
            report(done, sealed.chunks)

    def _vector_source(
        self, journal: JournalCompaction, sealed: Sealed
    ) -> Callable[[NDArray[np.int64], Sequence[LexicalDocument]], NDArray[np.float16]]:
        """Return what gives the vectors of rows: the present segments, or the embedder."""
        if self._embedder is not None:
            embedder = self._embedder
            return lambda _, documents: embed_documents(documents, embedder)
        segments = [s for s in journal.segments() if s.first_row < sealed.end_row]
        reader = VectorReader(self._folder.vectors, segments, self._dim, sealed.end_row)
        return lambda rows, _: _copied(reader, rows)

    def _swap(self, journal: JournalCompaction, sealed: Sealed, segment: Segment | None) -> int:
        generation = sealed.generation + 1
        replayed = sealed.end_row
        while journal.meta("reserved_rows") - replayed > _REPLAY_ROWS:
            before, replayed = replayed, self._replay(journal, generation, replayed)
            if replayed == before:
                break
        with self._writing():
            self._replay(journal, generation, replayed)
            self._folder.generation_lock(generation).touch()
            return journal.swap(generation, sealed, segment, self._versions)

    def _replay(self, journal: JournalCompaction, generation: int, first_row: int) -> int:
        """Add the words of rows from ``first_row`` on; returns the first row not added."""
        words: TantivyWriter | None = None
        try:
            for batch in journal.chunks(first_row, journal.meta("reserved_rows")):
                words = words or TantivyWriter(self._folder.lexical(generation), bulk=False)
                words.add(lexical_document(chunk) for chunk in batch)
                first_row = batch[-1].row + 1
            if words is not None:
                words.commit()
        finally:
            if words is not None:
                words.close()
        return first_row


def _copied(reader: VectorReader, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    positions = np.searchsorted(reader.rows, rows)
    if (positions == len(reader.rows)).any() or (reader.rows[positions] != rows).any():
        raise IndexDamaged(
            f"some of the rows {rows[0]} to {rows[-1]} have no vector",
            hint="run `codeintel doctor --repair`",
        )
    return reader.gather(positions)
