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
        numbers: dict[LongLine, int] = {}
        blocks = [np.zeros((0, 4), dtype=np.int64)]
        for path, snapshot, spans in files:
            places = _placed_texts(spans, numbers)
            where = np.full((len(places), 2), (snapshot, number_of[path]))
            blocks.append(np.hstack([where, places]))
        snapshots, path_numbers, rows, lines = np.concatenate(blocks).T
        texts = Texts(rows, snapshots, path_numbers, lines)
        return cls(paths, texts, {number: parts for parts, number in numbers.items()})


def _placed_texts(spans: NDArray[np.int32], numbers: dict[LongLine, int]) -> NDArray[np.int64]:
    """Return the (text, first line) of one file's texts, and number the long lines among them."""
    continues = np.zeros(len(spans), dtype=np.bool_)
    continues[1:] = spans[1:, _FIRST] == spans[:-1, _LAST]
    places = spans[:, [0, _FIRST]].astype(np.int64)
    if not continues.any():
        return places
    for first in np.flatnonzero(continues & ~np.roll(continues, 1)) - 1:
        last = first + 1
        while last + 1 < len(spans) and continues[last + 1]:
            last += 1
        parts = _long_line(spans[first : last + 1].tolist())
        places[first, 0] = numbers.setdefault(parts, -1 - len(numbers))
    return places[~continues]


def _long_line(spans: Sequence[Sequence[int]]) -> LongLine:
    ends = [spans[0][_START], *(span[_END] for span in spans)]
    return tuple((span[0], span[_START] - end) for span, end in zip(spans, ends, strict=False))
