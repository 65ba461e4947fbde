"""The words of one generation: tantivy's index, and Lucene's where compaction has built one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from codeintel_rev.config.settings import Bm25Config
from codeintel_rev.errors import IndexDamaged, IndexUnusable, Unavailable
from codeintel_rev.indexing.rebuilding import lexical_document
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import own_process
from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.text.background_idf import background_idf
from codeintel_rev.text.json_faults import NOT_JSON

if TYPE_CHECKING:
    from codeintel_rev.retrieval.lucene_words import LuceneWords

_log = logging.getLogger(__name__)

LUCENE = "lucene"
MANIFEST = "lucene.manifest.json"
"""In the folder of the generation's catalog, which compaction makes as a whole."""


class LuceneManifest(msgspec.Struct, frozen=True):
    """What a Lucene index of a generation holds."""

    documents: int
    end_row: int
    """Rows from here on came later."""


class LuceneIndexer:
    """Builds the Lucene index of a generation (``FurtherIndex``)."""

    def require(self) -> None:
        """Raise ``Unavailable`` when the extra ``lucene`` is not installed."""
        from codeintel_rev.retrieval import java

        java.require()

    def write(self, catalog: Path, chunks: Iterator[list[StoredChunk]], end_row: int) -> None:
        """Build the index of the chunks below ``end_row``; raises ``Unavailable``."""
        from codeintel_rev.retrieval.lucene_build import build_lucene

        batches = ([lexical_document(chunk) for chunk in batch] for batch in chunks)
        command, environment = own_process.python(), own_process.environment()
        documents = build_lucene(catalog / LUCENE, batches, command, environment)
        manifest = msgspec.json.encode(LuceneManifest(documents, end_row))
        (catalog / MANIFEST).write_bytes(manifest)


def open_words(
    folder: RepositoryFolder, generation: int, config: Bm25Config
) -> TantivySearcher | LuceneWords:
    """Open the words of a generation.

    Where Lucene is wanted and cannot serve, tantivy does, and readiness tells.

    Raises ``IndexDamaged`` when tantivy's index cannot be read.
    """
    catalog = folder.catalog(generation)
    if config.engine == LUCENE and (catalog / MANIFEST).exists():
        try:
            return _open_lucene(folder, generation, config)
        except (IndexUnusable, Unavailable) as error:
            _log.warning("%s (%s); tantivy serves instead", error.message, error.hint)
    return TantivySearcher(folder.lexical(generation), background_idf)


def read_manifest(catalog: Path) -> LuceneManifest:
    """Return what a generation's Lucene index holds; raises ``IndexDamaged``."""
    try:
        return msgspec.json.decode((catalog / MANIFEST).read_bytes(), type=LuceneManifest)
    except (OSError, *NOT_JSON) as error:
        raise _damaged(catalog / MANIFEST, str(error)) from error


def _open_lucene(folder: RepositoryFolder, generation: int, config: Bm25Config) -> LuceneWords:
    from codeintel_rev.retrieval.lucene_index import LuceneIndex
    from codeintel_rev.retrieval.lucene_words import LuceneWords

    catalog = folder.catalog(generation)
    manifest = read_manifest(catalog)
    index = LuceneIndex(catalog / LUCENE, config.k1, config.b)
    if index.documents != manifest.documents:
        raise _damaged(index.folder, f"{index.documents} of {manifest.documents} chunks are there")
    newer = TantivySearcher(folder.lexical(generation), background_idf, manifest.end_row)
    return LuceneWords(index, manifest.end_row, newer, background_idf)


def _damaged(path: Path, why: str) -> IndexDamaged:
    return IndexDamaged(
        f"{path} cannot be used: {why}", hint="run `codeintel compact`", value=str(path)
    )
