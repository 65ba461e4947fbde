"""The texts of a view that hold its lines, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.io.packing import Span
from codeintel_rev.retrieval.exhaustive import Texts

_FIRST, _LAST = Span._fields.index("start_line"), Span._fields.index("end_line")
_START, _END = Span._fields.index("start_byte"), Span._fields.index("end_byte")

LongLine = tuple[tuple[int, int], ...]
"""A line that is too long for one chunk: its chunks, and the bytes of white space before each."""


class SearchedLines(NamedTuple):
    """All chunks in scope, those that share a line put together."""

    paths: list[str]
    texts: Texts
    long_lines: dict[int, LongLine]
    """By the negative number that stands for each in ``texts``."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """The chunks that are searched by themselves, ascending."""
        return np.unique(self.texts.rows[self.texts.rows >= 0])

    @classmethod
    def of(cls, view: RepositoryView) -> SearchedLines:
        """Return what is in the scope of a view."""
        mask = view.channels.mask
        files = [
            (path, number, spans)
            for number, snapshot in enumerate(view.snapshots)
            for path, _, spans in view.catalog.file_spans(snapshot)
            if len(spans) and mask[spans[0, 0]]
        ]
        paths = sorted({path for path, _, _ in files})
        number_of = {path: number for number, path in enumerate(paths)}
        of_file = np.array([(number, number_of[path]) for path, number, _ in files], dtype=np.int64)
        spans = np.concatenate([np.zeros((0, 5), np.int32), *(spans for _, _, spans in files)])
        file = np.repeat(np.arange(len(files)), [len(spans) for _, _, spans in files])
        rows, long_lines, kept = _long_lines(spans, file)
        snapshots, path_numbers = of_file.reshape(-1, 2)[file[kept]].T
        lines = spans[kept, _FIRST].astype(np.int64)
        return cls(paths, Texts(rows[kept], snapshots, path_numbers, lines), long_lines)


def _long_lines(
    spans: NDArray[np.int32], file: NDArray[np.int64]
) -> tuple[NDArray[np.int64], dict[int, LongLine], NDArray[np.bool_]]:
    """Return the text of each chunk, the long lines, and which chunks do not go on with one.

    Where a chunk begins a long line, its text is that of the line.
    """
    goes_on = np.zeros(len(spans), dtype=np.bool_)
    goes_on[1:] = (spans[1:, _FIRST] == spans[:-1, _LAST]) & (file[1:] == file[:-1])
    rows = spans[:, 0].astype(np.int64)
    numbers: dict[LongLine, int] = {}
    for first in np.flatnonzero(goes_on[1:] & ~goes_on[:-1]):
        end = first + 1
        while end < len(spans) and goes_on[end]:
            end += 1
        parts = _long_line(spans[first:end].tolist())
        rows[first] = numbers.setdefault(parts, -1 - len(numbers))
    return rows, {number: parts for parts, number in numbers.items()}, ~goes_on


def _long_line(spans: Sequence[Sequence[int]]) -> LongLine:
    ends = [spans[0][_START], *(span[_END] for span in spans)]
    return tuple((span[0], span[_START] - end) for span, end in zip(spans, ends, strict=False))
