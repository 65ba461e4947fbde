"""The embedder of one search, which goes on by words where a model server fails it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codeintel_rev.errors import CodeIntelError
from codeintel_rev.ports import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)


class TolerantEmbedder:
    """Embeds queries by ``inner``, and to zero once that has failed (``Embedder``)."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.limits: tuple[str, ...] = ()
        """``embedding_failed`` once it did."""

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self._inner.dim

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a query, shape ``(dim,)``; all zero when there is none."""
        if not self.limits:
            try:
                return self._inner.embed_query(text)
            except CodeIntelError as error:
                _log.warning("searching by words alone: %s (%s)", error.message, error.hint)
                self.limits = ("embedding_failed",)
        import numpy as np

        return np.zeros(self.dim, dtype=np.float32)

    def embed_documents(self, documents: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
        """Return the vectors of (path, symbol, text) triples; raises what ``inner`` raises."""
        return self._inner.embed_documents(documents)
