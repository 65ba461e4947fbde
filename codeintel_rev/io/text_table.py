"""Texts as Arrow tables, for a query to search in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

BATCH_TEXTS = 8_000
"""Texts in one table: some 8 MiB of code."""


def text_tables(texts: Iterable[tuple[int, bytes]], most: int = BATCH_TEXTS) -> Iterator[pa.Table]:
    """Yield tables of (row, UTF-8 text) pairs, ``most`` of them, as columns ``row`` and ``content``."""
    remaining = iter(texts)
    while batch := list(islice(remaining, most)):
        rows, contents = zip(*batch, strict=True)
        ends = np.cumsum([0, *map(len, contents)], dtype=np.int64)
        content = pa.LargeStringArray.from_buffers(
            len(contents), pa.py_buffer(ends), pa.py_buffer(b"".join(contents))
        )
        yield pa.table({"row": pa.array(rows, pa.int64()), "content": content})
