"""What compaction builds beside the usual indexes, as the settings want it."""

from __future__ import annotations

from codeintel_rev.config.settings import Settings
from codeintel_rev.indexing.generation_builder import FurtherIndex
from codeintel_rev.indexing.generation_splade import SpladeIndexer
from codeintel_rev.indexing.generation_words import LuceneIndexer


def further_indexes(settings: Settings) -> list[FurtherIndex]:
    """Return the further indexes that the settings ask for.

    Raises ``IndexForeign`` or ``IndexDamaged`` when the SPLADE model cannot be loaded.
    """
    found: list[FurtherIndex] = []
    if settings.bm25.engine == "lucene":
        found.append(LuceneIndexer())
    if settings.splade.model is not None:
        from codeintel_rev.io.splade_encoder import SpladeEncoder

        found.append(SpladeIndexer(SpladeEncoder(settings.splade.model)))
    return found
