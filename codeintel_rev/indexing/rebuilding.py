"""From a stored chunk back to what is indexed of it, as ``prepare`` made it from its file."""

from __future__ import annotations

from functools import lru_cache

from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument
from codeintel_rev.text.code_tokenizer import tokenize


def lexical_document(chunk: StoredChunk) -> LexicalDocument:
    """Return the terms of a stored chunk, field by field."""
    return LexicalDocument(
        row=chunk.row,
        body=" ".join(tokenize(chunk.text)),
        symbol=" ".join(tokenize(chunk.symbol)),
        path=_path_terms(chunk.path),
        doc=" ".join(tokenize(chunk.doc)),
    )


@lru_cache(maxsize=64)
def _path_terms(path: str) -> str:
    """Return the terms of a path; neighbouring rows are mostly of one file."""
    return " ".join(tokenize(path))
