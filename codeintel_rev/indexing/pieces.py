"""Cutting a file into pieces: units that syntax proposes, divided where large, merged where small.

Everything here counts rows, so a line belongs to one piece and no citation cuts a line in two.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from codeintel_rev.indexing.lines import Lines


class ChunkSize(NamedTuple):
    """How large chunks become, in the weight of their lines: about their non-white bytes."""

    limit: int = 1400
    """A chunk above this is divided; it is about 40 lines of code."""
    small: int = 320
    """Neighbours below this share a chunk, as far as it stays within twice this size."""
    tiny: int = 80
    """What is no definition of its own joins any neighbour when it is below this."""


DEFAULT_SIZE: Final = ChunkSize()

_SLACK: Final = 0.4
"""How far a part may depart from the even share for a better place to cut."""


class Definition(msgspec.Struct, frozen=True, gc=False, eq=False):
    """What names a piece; compared by identity."""

    symbol: str
    kind: str
    doc: str = ""

    @property
    def rank(self) -> int:
        """Return how much it deserves to name a chunk that it shares with others."""
        return _RANKS.get(self.kind, _CLASS_RANK)


_RANKS: Final = {"block": 0, "lines": 0, "module": 1, "constant": 2, "type": 3, "macro": 3,
                 "function": 4, "method": 4, "section": 4}  # fmt: skip
_CLASS_RANK: Final = 5


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A row at which a cut may fall, and what stands from there on."""

    row: int
    owner: Definition
    family: Definition
    """The container in which it may merge with its neighbours."""
    depth: int = 0
    """How deep in the syntax the cut is; shallow ones are preferred."""
    opening: bool = False
    """Whether its owner starts here."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Rows ``[start, end)`` and the definition that names them."""

    start: int
    end: int
    owner: Definition
    family: Definition
    opening: bool
    heaviest: int
    """Weight of the heaviest piece in it."""


def cut_pieces(units: Sequence[Unit], lines: Lines, size: ChunkSize) -> list[Piece]:
    """Return the pieces of a whole file.

    ``units`` are in order of rows, the first one at row 0; the last one reaches to the end.
    """
    return list(_merge(_divide_runs(units, lines, size.limit), lines, size))


def divide(
    candidates: Sequence[tuple[int, int]], end: int, lines: Lines, limit: int
) -> Iterator[int]:
    """Yield the start rows of parts within ``limit``, as even as the candidates allow.

    ``candidates`` are (row, cost) in order of rows, the first one being the start. Where none
    stands in reach, a part ends at any line, after a blank one if there is one.
    """
    weights = lines.weights
    start = candidates[0][0]
    yield start
    while (rest := weights[end] - weights[start]) > limit:
        even = rest / math.ceil(rest / limit)
        low, high = weights[start] + even * (1 - _SLACK), weights[start] + even * (1 + _SLACK)
        high = min(high, weights[start] + limit)
        last = max(start + 1, bisect_right(weights, high, start, end + 1) - 1)
        first = min(last, max(start + 1, bisect_left(weights, low, start, end + 1)))
        if last >= end:
            return
        reach = candidates[bisect_left(candidates, (first,)) : bisect_left(candidates, (last + 1,))]
        choice = reach or [(row, 0) for row in range(first, last + 1)]
        start = _cheapest(choice, lines, weights[start] + even)
        yield start


def _cheapest(candidates: Iterable[tuple[int, int]], lines: Lines, target: float) -> int:
    """Return the row of the lowest cost, less where a blank line precedes, nearest ``target``."""
    return min(
        candidates,
        key=lambda c: (2 * c[1] - lines.is_blank(c[0] - 1), abs(lines.weights[c[0]] - target)),
    )[0]


def _divide_runs(units: Sequence[Unit], lines: Lines, limit: int) -> Iterator[Piece]:
    """Yield one piece a run of units with the same owner, more where the run is too large."""
    runs = [list(run) for _, run in groupby(units, key=lambda unit: id(unit.owner))]
    ends = [run[0].row for run in runs[1:]] + [lines.row_count]
    for run, end in zip(runs, ends, strict=True):
        head = run[0]
        starts = list(divide([(unit.row, unit.depth) for unit in run], end, lines, limit))
        for start, stop in zip(starts, [*starts[1:], end], strict=True):
            opening = head.opening and start == head.row
            weight = lines.weight(start, stop)
            yield Piece(start, stop, head.owner, head.family, opening, weight)


def _merge(pieces: Iterable[Piece], lines: Lines, size: ChunkSize) -> Iterator[Piece]:
    """Yield the pieces with fragments and small neighbours of one family joined."""
    last: Piece | None = None
    for piece in pieces:
        if last is None:
            last = piece
        elif _belong_together(last, piece, lines, size):
            last = _join(last, piece, size)
        else:
            yield last
            last = piece
    if last is not None:
        yield last


def _belong_together(one: Piece, two: Piece, lines: Lines, size: ChunkSize) -> bool:
    """Return whether two neighbours are better found as one chunk."""
    weight = lines.weight(one.start, two.end)
    if weight > size.limit:
        return False
    if _is_fragment(one, size) or (_is_fragment(two, size) and not two.opening):
        return True
    are_small = max(one.heaviest, two.heaviest) < size.small and weight <= 2 * size.small
    return are_small and one.family is two.family


def _is_fragment(piece: Piece, size: ChunkSize) -> bool:
    """Return whether a piece says nothing alone: a bare header, what is left behind a member."""
    return piece.owner is piece.family and piece.heaviest < size.tiny


def _join(one: Piece, two: Piece, size: ChunkSize) -> Piece:
    """Return one piece, named by the definition of the higher rank, the heavier one if equal."""
    named = max(one, two, key=lambda p: (p.owner.rank if p.opening else 0, p.heaviest))
    family = two.family if _is_fragment(one, size) else one.family
    heaviest = max(one.heaviest, two.heaviest)
    return Piece(one.start, two.end, named.owner, family, named.opening, heaviest)
