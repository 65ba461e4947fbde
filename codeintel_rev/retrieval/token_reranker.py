"""Late interaction over the embedded model's token vectors: a reranker that needs no model of its own.

Each word of the query looks for the word of a candidate that is nearest to it, whatever else stands
there. The form is that of Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via
Contextualized Late Interaction over BERT", SIGIR 2020; the vectors here know no context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.query import telling_terms
from codeintel_rev.text.code_tokenizer import tokenize

MAX_TERMS = 32
"""Terms of a query that are looked for."""


class TokenVectors(Protocol):
    """Knows a vector for each term of its vocabulary."""

    def term_vectors(self, terms: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """Return the distinct known terms and their unit vectors, shape ``(n, dim)``."""
        ...


class TokenReranker:
    """Scores candidates by how near their words come to those of the query (``Reranker``)."""

    def __init__(self, vectors: TokenVectors, weight: Callable[[str], float]) -> None:
        """Weigh a query's terms with ``weight``, such as their background idf."""
        self._vectors = vectors
        self._weight = weight

    async def rerank(self, query: str, candidates: Sequence[str]) -> list[float]:
        """Return one score in [0, 1] for each candidate, in the order given."""
        return self.scores(query, candidates)

    def scores(self, query: str, candidates: Sequence[str]) -> list[float]:
        """Return the weighted mean of each query term's best cosine; zeros without a known term."""
        wanted = list(dict.fromkeys(telling_terms(query)))[:MAX_TERMS]
        terms, vectors = self._vectors.term_vectors(wanted)
        weights = np.array([self._weight(term) for term in terms], dtype=np.float32)
        if not weights.sum() > 0.0:
            return [0.0] * len(candidates)
        nearest = (self._nearest(vectors, candidate) for candidate in candidates)
        return [float(np.clip(best @ weights / weights.sum(), 0.0, 1.0)) for best in nearest]

    def _nearest(self, wanted: NDArray[np.float32], candidate: str) -> NDArray[np.float32]:
        _, vectors = self._vectors.term_vectors(tokenize(candidate))
        best: NDArray[np.float32] = (wanted @ vectors.T).max(axis=1, initial=0.0)
        return best
