"""Candidates of the ranking, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from codeintel_rev.retrieval.candidate import Candidates
from codeintel_rev.retrieval.traits import TraitMemory
from codeintel_rev.types import ChunkHead


def candidates_of(heads: Sequence[ChunkHead], **columns: Any) -> Candidates:
    """Return the candidates with these heads; a column that is not given is zero."""
    known = {head.row: head for head in heads}
    rows = np.array(list(known), dtype=np.int64)
    zeros = np.zeros(len(rows))
    given = {name: np.asarray(column) for name, column in columns.items()}
    usual = {"dense": zeros, "words": zeros, "is_named": zeros.astype(bool), "sparse": zeros}
    return Candidates(rows, TraitMemory().of(rows, lambda _: known), **(usual | given))
