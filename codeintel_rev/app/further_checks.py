"""What can be wrong with the indexes that compaction builds beside the usual ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from codeintel_rev.app.checks import Check, Fault, Patient
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError, IndexUnusable
from codeintel_rev.indexing import generation_splade, generation_words
from codeintel_rev.ports import SparseEncoder
from codeintel_rev.retrieval.impact_index import ImpactIndex


def further_checks(settings: Settings) -> dict[str, Check]:
    """Return a check of each further index that the settings ask for."""
    found: dict[str, Check] = {}
    if settings.bm25.engine == generation_words.LUCENE:
        found["lucene"] = check_lucene
    if settings.splade.model is not None:
        model = settings.splade.model
        encoder = cache(lambda: _encoder(model))  # of many repositories, one loads it
        found["splade"] = lambda patient: check_splade(patient, encoder())
    return found


def check_lucene(patient: Patient) -> str:
    """Check that Lucene opens its index, and holds a document of each live row it is to serve."""
    catalog = patient.folder.catalog(patient.generation)
    if not _is_due(patient):
        return "none yet: compaction builds it"
    if not (catalog / generation_words.MANIFEST).exists():
        raise Fault("the last compaction built none: tantivy serves the words")
    try:
        manifest = generation_words.read_manifest(catalog)
        documents = _documents(catalog / generation_words.LUCENE)
    except IndexUnusable as error:
        raise Fault(error.message) from error
    except CodeIntelError as error:  # no Java, or no extra: a repair needs them too
        raise Fault(error.message, error.hint) from error
    if documents != manifest.documents:
        raise Fault(f"{documents:,} of {manifest.documents:,} documents are there")
    return _coverage(patient, manifest.documents, manifest.end_row)


def check_splade(patient: Patient, encoder: SparseEncoder) -> str:
    """Check that the sparse vectors are this encoder's, of each live row, and as they were written."""
    catalog = patient.folder.catalog(patient.generation)
    if not _is_due(patient):
        return "none yet: compaction builds it"
    if not (catalog / generation_splade.MANIFEST).exists():
        raise Fault("the last compaction built none: the other channels search alone")
    try:
        manifest = generation_splade.read_manifest(catalog, encoder)
        postings = ImpactIndex(catalog / generation_splade.SPLADE).check(manifest.end_row)
    except IndexUnusable as error:
        raise Fault(error.message) from error
    if postings != manifest.postings:
        raise Fault(f"{postings:,} of {manifest.postings:,} postings are there")
    told = _coverage(patient, manifest.chunks, manifest.end_row)
    return f"{told}, {postings:,} postings of {manifest.fingerprint}"


def _is_due(patient: Patient) -> bool:
    """Return whether a compaction had chunks of which it could build an index."""
    return patient.generation > 0 and bool(patient.live.any())


def _coverage(patient: Patient, held: int, end_row: int) -> str:
    """Return how many chunks are held, and how many came since."""
    wanted, since = int(patient.live[:end_row].sum()), int(patient.live[end_row:].sum())
    if held < wanted:
        raise Fault(f"{held:,} chunks are held, {wanted:,} are live")
    return f"{held:,} chunks" + (f", {since:,} came since" if since else "")


def _documents(folder: Path) -> int:
    from codeintel_rev.retrieval.lucene_index import LuceneIndex

    index = LuceneIndex(folder)
    try:
        return index.documents
    finally:
        index.close()


def _encoder(model: Path) -> SparseEncoder:
    from codeintel_rev.io.splade_encoder import SpladeEncoder

    try:
        return SpladeEncoder(model)
    except CodeIntelError as error:
        fix = "set SPLADE_MODEL to the folder of a SPLADE model, or to nothing"
        raise Fault(error.message, fix) from error
