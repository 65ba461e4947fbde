"""What stands for an index whose files are damaged, so that the others can still be searched."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class AbsentIndex:
    """Finds nothing (``VectorIndex`` and ``LexicalIndex``)."""

    def search(self, *_: Any, **__: Any) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return no rows and no scores."""
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)

    def coverage(self, *_: Any, **__: Any) -> float:
        """Return 0: no term is known to occur."""
        return 0.0

    def similarities(
        self, query: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return zeros: nothing is known of any row."""
        return np.zeros(len(rows), dtype=np.float32)
