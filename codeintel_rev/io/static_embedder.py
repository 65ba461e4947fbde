"""The embedded model: a text's vector is the weighted sum of its terms' vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.static_model import read_model
from codeintel_rev.text.chunk_terms import (
    HEAD_LINES,
    HEAD_SHARE,
    PATH_WEIGHT,
    ChunkTerms,
    document_terms,
)
from codeintel_rev.text.code_tokenizer import TOKENIZER_VERSION, tokenize

MODEL_PATH = Path(__file__).parent.parent / "data" / "static_model.bin"
"""The model that ships with the package."""

_BLOCK = 64
"""Documents multiplied at once: few enough that their distinct terms stay few."""


class StaticEmbedder:
    """Embeds queries and code by table look-up: no network, no other package than numpy.

    Raises ``IndexDamaged`` or ``IndexForeign`` when the model file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        model = read_model(path or MODEL_PATH)
        self._rows = model.rows
        self._scales = model.scales
        self._ids = dict(zip(model.terms, range(len(model.terms)), strict=True))
        self.model_id = f"{(path or MODEL_PATH).stem}-{model.digest[:12]}"
        recipe = f"{TOKENIZER_VERSION} {PATH_WEIGHT} {HEAD_LINES} {HEAD_SHARE}"
        self.fingerprint = hashlib.sha256(f"{model.digest} {recipe}".encode()).hexdigest()

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return int(self._rows.shape[1])

    def close(self) -> None:
        """Do nothing: there is no connection to close."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a query, shape ``(dim,)``; all zero when nothing is known."""
        ids = [found for term in tokenize(text) if (found := self._id_of(term)) >= 0]
        distinct, counts = np.unique(np.array(ids, np.int32), return_counts=True)
        vector: NDArray[np.float32] = self._weighed(counts[np.newaxis], distinct)[0]
        return vector

    def embed_documents(self, documents: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
        """Return the unit vectors of (path, symbol, text) triples, shape ``(n, dim)``."""
        return self.embed_chunks([document_terms(*document) for document in documents])

    def embed_terms(self, documents: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return the unit vectors of tokenized texts, shape ``(n, dim)``; see ``embed_chunks``."""
        return self.embed_chunks([ChunkTerms(terms, len(terms)) for terms in documents])

    def embed_chunks(self, chunks: Sequence[ChunkTerms]) -> NDArray[np.float32]:
        """Return the unit vectors of tokenized chunks, shape ``(n, dim)``.

        One is the mean of the unit vectors of all its terms and of those of its head, which weigh
        ``HEAD_SHARE``. A chunk without a known term gets a zero vector.
        """
        vectors = np.empty((len(chunks), self.dim), np.float32)
        for start in range(0, len(chunks), _BLOCK):
            vectors[start : start + _BLOCK] = self._embed_block(chunks[start : start + _BLOCK])
        return vectors

    def term_vectors(self, terms: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Return the distinct known terms of ``terms`` and their unit vectors, shape ``(n, dim)``."""
        known = [term for term in dict.fromkeys(terms) if term in self._ids]
        ids = np.array([self._ids[term] for term in known], dtype=np.int32)
        return known, unit_rows(self._rows[ids].astype(np.float32))

    def _embed_block(self, chunks: Sequence[ChunkTerms]) -> NDArray[np.float32]:
        ids = np.array(
            list(map(self._id_of, chain.from_iterable(terms for terms, _ in chunks))), np.int32
        )
        lengths = np.array([len(terms) for terms, _ in chunks])
        owners = np.repeat(np.arange(len(chunks)), lengths)
        ends_of_heads = np.cumsum(lengths) - lengths + [head for _, head in chunks]
        in_head = np.arange(len(ids)) < ends_of_heads[owners]
        known = ids >= 0
        ids, owners, in_head = ids[known], owners[known], in_head[known]
        distinct = np.flatnonzero(np.bincount(ids, minlength=1))
        column = np.empty(len(self._rows), np.int32)
        column[distinct] = np.arange(len(distinct))
        cells = owners * len(distinct) + column[ids]
        shape = (len(chunks), len(distinct))
        whole, heads = (
            self._weighed(np.bincount(kept, minlength=shape[0] * shape[1]).reshape(shape), distinct)
            for kept in (cells, cells[in_head])
        )
        return unit_rows((1 - HEAD_SHARE) * whole + HEAD_SHARE * heads)

    def _weighed(self, counts: NDArray[np.int64], ids: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the unit vectors of documents that hold each of ``ids`` so often, a row each."""
        weights = np.sqrt(counts.astype(np.float32)) * self._scales[ids]
        return unit_rows(weights @ self._rows[ids].astype(np.float32))

    def _id_of(self, term: str) -> int:
        return self._ids.get(term, -1)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``vectors`` scaled to length one a row; zero rows stay zero."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    result: NDArray[np.float32] = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return result
