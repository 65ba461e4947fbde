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
from typing import NamedTuple

from codeintel_rev.indexing.embedding import ChunkEmbedder
from codeintel_rev.indexing.generation_builder import (
    BuildOptions,
    FurtherIndex,
    GenerationBuilder,
    Report,
)
from codeintel_rev.indexing.generations import collect
from codeintel_rev.indexing.rebuilding import lexical_document
from codeintel_rev.indexing.retention import retain
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import vector_store
from codeintel_rev.io.journal_compaction import JournalCompaction, Sealed
from codeintel_rev.io.nearest_index import BUILT_FROM
from codeintel_rev.io.vector_store import Segment
from codeintel_rev.retrieval.tantivy_writer import TantivyWriter

_REPLAY_ROWS = 1_000
"""More rows than these that came meanwhile are replayed before the writer lock is taken."""

_HOLES_SHARE = 0.1
"""Where more of the rows than this were dropped, the holes that they leave are worth closing."""

_REWRITTEN_BYTES = 128 << 20
"""A journal is written anew up to this size, which keeps other writers waiting for about a second."""

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
        embedder: ChunkEmbedder | None = None,
        afresh: bool = False,
        versions: Mapping[str, str] | None = None,
        asker: ChunkEmbedder | None = None,
        nearest_from: int = BUILT_FROM,
        materialize: bool = False,
        further: Sequence[FurtherIndex] = (),
    ) -> None:
        """Take over what the present generation holds, or make everything ``afresh``.

        ``embedder`` makes the vectors too. The generation that is built is recorded as made with
        the component ``versions``. From ``nearest_from`` vectors on, it has an index of them;
        ``asker`` embeds the queries that this is tuned on. The catalog is a view of its Parquet
        file, or a copy with ``materialize``. ``further`` indexes are built beside it.
        """
        self._folder = folder
        self._repo = repo
        self._dim = dim
        self._writing = writing
        self._options = BuildOptions(
            embedder,
            asker or embedder,
            nearest_from,
            afresh=afresh,
            materialize=materialize,
            further=further,
        )
        self._versions = versions or {}

    def run(self, report: Report) -> Compacted:
        """Build the next generation, let it serve, and delete those that nobody reads."""
        journal = JournalCompaction(self._folder.journal)
        try:
            self._collect(journal)  # what a killed compaction left
            try:
                sealed, builder = self._seal(journal)
                segment = builder.build(report)
                sequence = self._swap(journal, sealed, segment)
            finally:
                still_read = self._collect(journal)
            self._give_back_space(journal, sealed)  # last, for it takes room of its own
            generation = sealed.generation + 1
            return Compacted(generation, sequence, sealed.chunks, sealed.dropped, still_read)
        finally:
            journal.close()

    def _collect(self, journal: JournalCompaction) -> int:
        return collect(self._folder, journal.meta("generation"), journal.segments())

    def _seal(self, journal: JournalCompaction) -> tuple[Sealed, GenerationBuilder]:
        """Settle which rows stay, and begin the next generation with the words of this one."""
        with self._writing():
            end_row = journal.meta("reserved_rows")
            for segment in journal.segments():
                if segment.end_row is None and segment.first_row < end_row:
                    path = self._folder.vectors / segment.file
                    vector_store.grow(path, end_row - segment.first_row, self._dim)
            sealed = journal.seal(partial(retain, now_ns=time.time_ns()))
            builder = GenerationBuilder(
                self._folder, self._repo, self._dim, journal, sealed, self._options
            )
            builder.link_words()
        return sealed, builder

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

    def _give_back_space(self, journal: JournalCompaction, sealed: Sealed) -> None:
        holes = sealed.dropped > _HOLES_SHARE * (sealed.chunks + sealed.dropped)
        if holes and journal.size() <= _REWRITTEN_BYTES:
            with self._writing():
                journal.rewrite()
        journal.give_back_space()

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
