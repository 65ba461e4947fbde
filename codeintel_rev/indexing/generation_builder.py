"""The files of the next generation: catalog, vectors and words of the rows that were sealed.

What the present generation holds is taken over; only rows that came since are made from the
journal. ``afresh`` makes everything from the journal, for a generation that is damaged or that other
components made.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.indexing.catalog_rows import Places
from codeintel_rev.indexing.embedding import ChunkEmbedder, embed_stored
from codeintel_rev.indexing.prepare import TermEmbedder
from codeintel_rev.indexing.rebuilding import lexical_document
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import vector_store
from codeintel_rev.io.durability import sync, sync_tree
from codeintel_rev.io.journal_compaction import JournalCompaction, Sealed, StoredChunk
from codeintel_rev.io.nearest_index import FetchedRows, build_nearest
from codeintel_rev.io.parquet_store import (
    CHUNKS_FILE,
    DATABASE_FILE,
    ChunksWriter,
    chunk_table,
    is_materialized,
    stored_chunks,
)
from codeintel_rev.io.vector_store import Segment, VectorReader
from codeintel_rev.retrieval import lexical_files, lexical_removal
from codeintel_rev.retrieval.tantivy_writer import TantivyWriter
from codeintel_rev.text.code_tokenizer import tokenize

_TITLES = 200
"""First sentences of docstrings on which the search of very many vectors is tuned: they miss and
find what the questions of people do, while a stored vector finds its neighbours too easily."""

_log = logging.getLogger(__name__)

Report = Callable[[int, int], None]
"""Told how many of how many chunks are done."""

_Filled = tuple[pa.Table, NDArray[np.float16]]
"""Chunks and their vectors."""


class FurtherIndex(Protocol):
    """An index of the chunks that a generation may have beside those it always has."""

    def require(self) -> None:
        """Raise ``Unavailable`` when it cannot be built here."""
        ...

    def write(self, catalog: Path, chunks: Iterator[list[StoredChunk]], end_row: int) -> None:
        """Build it in the folder of the catalog, of all chunks below ``end_row``."""
        ...


class BuildOptions(NamedTuple):
    """How a generation is built."""

    embedder: ChunkEmbedder | None
    """Makes the vectors anew, if there is one, and with them everything else."""
    asker: ChunkEmbedder | None
    """Embeds the queries on which an index of very many vectors is tuned."""
    nearest_from: int
    """From so many vectors on there is such an index."""
    afresh: bool
    """Whether nothing is taken over but the vectors."""
    materialize: bool
    """Whether the catalog's database holds a copy of the chunks."""
    further: Sequence[FurtherIndex]
    """What else is built of the chunks."""


class GenerationBuilder:
    """Builds one generation; the caller holds the compactor lock."""

    def __init__(
        self,
        folder: RepositoryFolder,
        repo: str,
        dim: int,
        journal: JournalCompaction,
        sealed: Sealed,
        options: BuildOptions,
    ) -> None:
        self._folder = folder
        self._repo = repo
        self._dim = dim
        self._journal = journal
        self._sealed = sealed
        self._generation = sealed.generation + 1
        self._options = options
        self._embedder = options.embedder
        self._afresh = options.afresh or options.embedder is not None

    def link_words(self) -> None:
        """Begin with the words of the present generation; the caller holds the writer lock."""
        if self._afresh:
            return
        try:
            lexical_removal.link(
                self._folder.lexical(self._sealed.generation),
                self._folder.lexical(self._generation),
            )
        except FileNotFoundError:
            _log.warning("the words of %s are gone and are made anew", self._repo)

    def build(self, report: Report) -> Segment | None:
        """Write everything; returns the segment of the vectors, if there are any."""
        try:
            segment = self._write_catalog(report, anew=self._afresh)
        except IndexDamaged as error:
            if self._afresh:
                raise
            _log.warning("%s; it is made anew from the journal", error.message)
            shutil.rmtree(self._folder.catalog(self._generation))
            segment = self._write_catalog(report, anew=True)
        self._write_words()
        return segment

    # --- catalog and vectors ------------------------------------------------------------------

    def _write_catalog(self, report: Report, *, anew: bool) -> Segment | None:
        sealed, folder = self._sealed, self._folder.catalog(self._generation)
        folder.mkdir(parents=True)
        has_before = not anew and sealed.generation > 0
        before = self._folder.catalog(sealed.generation) if has_before else None
        places = Places(sealed.versions, sealed.refs)
        report(0, sealed.chunks)
        done = 0
        with ChunksWriter(
            folder / CHUNKS_FILE,
            self._repo,
            self._dim,
            places.versions,
            places.of,
            sequence=sealed.sequence,
            end_row=sealed.end_row,
            materialized=self._options.materialize,
        ) as chunks:
            for table, vectors in self._filled(before):
                chunks.add(table, vectors)
                done += len(table)
                report(done, sealed.chunks)
            if done != sealed.chunks:
                raise _damaged(f"the catalog holds {done} of {sealed.chunks} chunks")
            blocks = chunks.finish()
        segment = vector_store.seal(
            self._folder.vectors,
            f"../catalog/{self._generation}/{CHUNKS_FILE}",
            self._dim,
            sealed.rows,
            sealed.end_row,
            blocks,
        )
        self._index_nearest(folder, segment)
        self._write_database(before, folder)
        self._write_further(folder)
        sync_tree(folder)
        sync(self._folder.vectors)
        return segment if sealed.chunks else None

    def _write_database(self, before: Path | None, folder: Path) -> None:
        """Make the catalog's database; a view is that of ``before``, as it names no folder."""
        materialize = self._options.materialize
        if before is not None and not materialize and not is_materialized(before / CHUNKS_FILE):
            with suppress(FileNotFoundError):
                shutil.copyfile(before / DATABASE_FILE, folder / DATABASE_FILE)
                return
        from codeintel_rev.io.catalog_builder import build_catalog  # DuckDB takes 0.15 s to import

        build_catalog(folder, materialize=materialize)

    def _index_nearest(self, folder: Path, segment: Segment) -> None:
        """Build an index of the vectors in ``folder``, when they are very many."""
        if self._sealed.chunks < self._options.nearest_from:
            return
        queries = np.zeros((0, self._dim), dtype=np.float32)
        asker = self._options.asker
        if isinstance(asker, TermEmbedder):  # a server may be away when this is built
            titles = [tokenize(title) for title in self._journal.titles(_TITLES)]
            queries = asker.embed_terms(titles)
            queries = queries[queries.any(axis=1)]
        reader = VectorReader(self._folder.vectors, [segment], self._dim, self._sealed.end_row)
        build_nearest(folder, FetchedRows(reader.gather, len(reader.rows), self._dim), queries)

    def _write_further(self, folder: Path) -> None:
        """Build what else is wanted of the chunks in ``folder``."""
        if not self._sealed.chunks:
            return
        for index in self._options.further:
            chunks = self._journal.chunks(0, self._sealed.end_row)
            index.write(folder, chunks, self._sealed.end_row)

    def _filled(self, before: Path | None) -> Iterator[_Filled]:
        """Yield all chunks in row order with their vectors."""
        if self._embedder is not None:
            for batch in self._journal.chunks(0, self._sealed.end_row):
                yield chunk_table(batch), embed_stored(batch, self._embedder)
            return
        self._check_vectors()
        vectors = self._present_vectors()
        for table in self._chunks(before):
            yield table, _copied(vectors, table["row"].to_numpy())

    def _chunks(self, before: Path | None) -> Iterator[pa.Table]:
        """Yield all chunks in row order: from the catalog ``before``, and newer ones."""
        last = -1
        if before is not None:
            kept = np.zeros(self._sealed.end_row, dtype=np.bool_)
            kept[self._sealed.rows] = True
            for table in stored_chunks(before / CHUNKS_FILE, kept):
                if len(table):
                    last = table["row"][-1].as_py()
                    yield table
        for batch in self._journal.chunks(last + 1, self._sealed.end_row):
            yield chunk_table(batch)

    def _present_vectors(self) -> VectorReader:
        """Map the vectors of the sealed rows, and of others that are gone since."""
        segments = self._journal.segments()
        return VectorReader(self._folder.vectors, segments, self._dim, self._sealed.end_row)

    def _check_vectors(self) -> None:
        """Raise ``IndexDamaged`` when something else than was written would be taken over."""
        for segment in self._journal.segments():
            if segment.first_row >= self._sealed.end_row:
                continue
            if not vector_store.is_whole(self._folder.vectors, segment, self._dim):
                raise _damaged(f"{segment.file} does not hold the vectors that were written")

    # --- words --------------------------------------------------------------------------------

    def _write_words(self) -> None:
        """Take what is gone out of the words that were linked, or make them anew."""
        folder = self._folder.lexical(self._generation)
        if not self._afresh and folder.exists():
            try:
                self._renew_words(folder, self._gone())
                if sum(lexical_files.segment_sizes(folder)) == self._sealed.chunks:
                    return
            except IndexDamaged as error:
                _log.warning("%s; it is made anew from the journal", error.message)
        shutil.rmtree(folder, ignore_errors=True)
        self._make_words(folder)
        self._renew_words(folder, [])

    def _gone(self) -> list[int]:
        """Return the rows that the present generation has and this one has not."""
        present = self._present_vectors().rows
        gone: list[int] = np.setdiff1d(present, self._sealed.rows, assume_unique=True).tolist()
        return gone

    def _renew_words(self, folder: Path, gone: Sequence[int]) -> None:
        """Take what is ``gone`` out of the words, and put together what lies scattered."""
        if self._sealed.chunks < lexical_removal.SPARE_DOCUMENTS:
            return
        if not gone and not lexical_removal.is_scattered(folder):
            return
        spare = self._journal.first_chunks(self._sealed.end_row, lexical_removal.SPARE_DOCUMENTS)
        documents = [lexical_document(chunk) for chunk in spare]
        lexical_removal.remove_rows(folder, gone, documents)

    def _make_words(self, folder: Path) -> None:
        words = TantivyWriter(folder, bulk=True, create=True)
        try:
            for batch in self._journal.chunks(0, self._sealed.end_row):
                words.add(lexical_document(chunk) for chunk in batch)
            words.commit()
        finally:
            words.close()


def _copied(reader: VectorReader, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    positions = np.searchsorted(reader.rows, rows)
    if (positions == len(reader.rows)).any() or (reader.rows[positions] != rows).any():
        raise _damaged(f"some of the rows {rows[0]} to {rows[-1]} have no vector")
    return reader.gather(positions)


def _damaged(what: str) -> IndexDamaged:
    return IndexDamaged(what, hint="run `codeintel doctor --repair`")
