"""From a stored chunk back to what is indexed of it, as ``prepare`` made it from its file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.indexing.prepare import TermEmbedder
from codeintel_rev.io.journal_compaction import StoredChunk
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument
from codeintel_rev.text.code_tokenizer import embedding_terms, tokenize


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


def embed_documents(
    documents: Sequence[LexicalDocument], embedder: TermEmbedder
) -> NDArray[np.float16]:
    """Return the vectors of chunks from their terms, shape ``(n, dim)``."""
    terms = [embedding_terms(d.path.split(), d.symbol.split(), d.body.split()) for d in documents]
    return embedder.embed_terms(terms).astype(np.float16)
