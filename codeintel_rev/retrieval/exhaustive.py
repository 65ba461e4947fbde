"""Every place that matches, in the order of path and line (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.types import LineMatches, LinePattern

_CASELESS = re.compile(r"\\(?:[pP]\{\^?\w+\}|[pPx]\w+|.)|\[:\^?\w+:\]|\(\?P?<\w+>")
"""What in a regular expression has letters that do not stand for themselves."""


class Texts(NamedTuple):
    """Where the texts that are searched stand in the snapshots: four arrays of one length."""

    rows: NDArray[np.int64]
    """Number of each text; one text may stand at several places."""
    snapshots: NDArray[np.int64]
    paths: NDArray[np.int64]
    """Number of its path, in the order of paths."""
    lines: NDArray[np.int64]
    """Its first line."""


class Place(NamedTuple):
    """A line that matches in one snapshot."""

    snapshot: int
    path: int
    line: int
    row: int
    offset: int


class Found(NamedTuple):
    """What was found, counted whole and listed in part."""

    total: int
    listed: list[list[Place]]
    """The snapshots that have one and the same line at one place, the first one first."""


def line_pattern(
    text: str, *, regex: bool = False, case_sensitive: bool | None = None
) -> LinePattern:
    """Return the pattern of a query; ``None`` ignores case unless the query has a capital letter."""
    if case_sensitive is None:
        told = _CASELESS.sub("", text) if regex else text
        case_sensitive = told != told.lower()
    return LinePattern(text, regex=regex, ignore_case=not case_sensitive)


def ordered(texts: Texts, matches: LineMatches, limit: int) -> Found:
    """Place matches, and list the first ``limit`` by path and line.

    Equal lines at one (path, line) of several snapshots are one. Matches in texts that stand nowhere
    are left out.
    """
    match, text = _pairs(texts, matches)
    paths = texts.paths[text]
    lines = texts.lines[text] + matches.offsets[match]
    digests = matches.digests[match]
    snapshots = texts.snapshots[text]
    same = np.lexsort((snapshots, digests, lines, paths))
    starts, ends = _runs([column[same] for column in (paths, lines, digests)])
    first = same[starts]
    order = np.lexsort((snapshots[first], lines[first], paths[first]))[:limit]
    listed = [
        [
            Place(
                snapshot=int(snapshots[at]),
                path=int(paths[at]),
                line=int(lines[at]),
                row=int(texts.rows[text[at]]),
                offset=int(matches.offsets[match[at]]),
            )
            for at in same[starts[group] : ends[group]]
        ]
        for group in order
    ]
    return Found(len(starts), listed)


def joined(parts: Sequence[LineMatches]) -> LineMatches:
    """Return the matches of all parts, each once."""
    rows, offsets, digests = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    _, first = np.unique((rows << 32) | offsets, return_index=True)
    return LineMatches(rows[first], offsets[first], digests[first])


def _runs(
    columns: Sequence[NDArray[np.generic]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where runs of equal rows start and end."""
    differs = np.ones(len(columns[0]), dtype=np.bool_)
    differs[1:] = False
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(differs)
    return starts, np.append(starts, len(differs))[1:]


def _pairs(texts: Texts, matches: LineMatches) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the (match, text) numbers of each match at each of its places."""
    by_row = np.argsort(texts.rows, kind="stable")
    rows = texts.rows[by_row]
    first = np.searchsorted(rows, matches.rows, side="left")
    counts = np.searchsorted(rows, matches.rows, side="right") - first
    match = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(match)) - np.repeat(np.cumsum(counts) - counts, counts)
    return match, by_row[first[match] + within]
