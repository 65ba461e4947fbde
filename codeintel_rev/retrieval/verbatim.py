"""Chunks that hold what a query quotes, or the message that it repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from codeintel_rev.ports import ChunkTexts
from codeintel_rev.retrieval.query import ParsedQuery, one_line, spoken

_MESSAGE_ROWS = 8
"""Rows that are read in search of a message's source: nearly all of a search of many repositories."""


def verbatim(query: ParsedQuery, rows: Sequence[int], source: ChunkTexts) -> list[int]:
    """Return those of ``rows``, best first, whose text holds what the query quotes.

    A message holds every word of its source, so that only the best rows by words are read.
    """
    if query.literals:
        found = _plausible(source.texts(rows), query.literals)
        return _holding(rows, found, query.literals, one_line)
    if query.runs:
        rows = rows[:_MESSAGE_ROWS]
        return _holding(rows, source.texts(rows), query.runs, spoken)
    return []


def _plausible(
    texts: Iterable[tuple[int, bytes]], literals: Sequence[str]
) -> Iterable[tuple[int, bytes]]:
    """Leave out texts that lack a word of every literal: most do, and joining lines takes longer."""
    wanted = [[_encoded(word) for word in literal.split()] for literal in literals]
    for row, text in texts:
        if any(all(word in text for word in words) for words in wanted):
            yield row, text


def _holding(
    rows: Sequence[int],
    texts: Iterable[tuple[int, bytes]],
    wanted: Sequence[str],
    normalised: Callable[[str], str],
) -> list[int]:
    found = set()
    for row, text in texts:
        plain = normalised(text.decode("utf-8", "replace"))
        if any(literal in plain for literal in wanted):
            found.add(row)
    return [row for row in rows if row in found]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
