"""Passages: runs of lines of one file version, made of one hit or of several that touch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from codeintel_rev.types import Citation, SearchHit


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive lines of a file, and the hits that they come from, the best first."""

    hits: tuple[SearchHit, ...]
    start_line: int
    end_line: int
    lines: tuple[str, ...]

    @property
    def best(self) -> SearchHit:
        """The best of the hits; all share repository, file and version."""
        return self.hits[0]

    @property
    def code(self) -> str:
        """The text of the lines."""
        return "\n".join(self.lines)

    @property
    def is_exact(self) -> bool:
        """Whether there is one text line for each line number."""
        return len(self.lines) == self.end_line - self.start_line + 1

    def head(self, count: int) -> Passage:
        """Return the passage's first ``count`` lines, numbered as before."""
        end_line = min(self.end_line, self.start_line + count - 1)
        return Passage(self.hits, self.start_line, end_line, self.lines[:count])


def passage_of(hit: SearchHit) -> Passage:
    """Return the hit's own lines; a final line break opens no further line."""
    return Passage(
        (hit,), hit.start_line, hit.end_line, tuple(hit.code.removesuffix("\n").split("\n"))
    )


def without_repeats(hits: Iterable[SearchHit]) -> list[Passage]:
    """Return one passage a hit, best first, leaving out those that lie inside a better one."""
    kept: list[Passage] = []
    for hit in hits:
        if not any(
            _same_file(other.best, hit)
            and other.start_line <= hit.start_line
            and hit.end_line <= other.end_line
            for other in kept
        ):
            kept.append(passage_of(hit))
    return kept


def merge_pieces(hits: Iterable[SearchHit]) -> list[Passage]:
    """Return passages in the order of their best hits; touching pieces of one symbol are one."""
    return merge_touching(hits, lambda one, other: bool(one.symbol) and one.symbol == other.symbol)


def merge_touching(
    hits: Iterable[SearchHit], alike: Callable[[SearchHit, SearchHit], bool] | None = None
) -> list[Passage]:
    """Return passages in the order of their best hits; those that overlap or adjoin are one.

    Two passages join only when the lines they share read the same, so a passage never shows text
    that its file version does not hold, and only if they are ``alike``, when that is given.
    """
    merged: list[Passage] = []
    for hit in hits:
        passage, position = passage_of(hit), len(merged)
        # Joining one neighbour may close the gap to the next, hence the loop.
        while (index := _touching(merged, passage, alike)) is not None:
            other = merged.pop(index)
            better, worse = (other, passage) if index < position else (passage, other)
            passage, position = _joined(better, worse), min(position, index)
        merged.insert(position, passage)
    return merged


def _touching(
    passages: Sequence[Passage],
    passage: Passage,
    alike: Callable[[SearchHit, SearchHit], bool] | None,
) -> int | None:
    for index, other in enumerate(passages):
        if (alike is None or alike(other.best, passage.best)) and _touch(other, passage):
            return index
    return None


def _touch(one: Passage, other: Passage) -> bool:
    """Return whether two passages overlap or adjoin and agree on the lines they share."""
    if not (_same_file(one.best, other.best) and one.is_exact and other.is_exact):
        return False
    first, second = _by_line(one, other)
    shared = first.lines[second.start_line - first.start_line :][: len(second.lines)]
    return second.start_line <= first.end_line + 1 and shared == second.lines[: len(shared)]


def _joined(better: Passage, worse: Passage) -> Passage:
    first, second = _by_line(better, worse)
    new_lines = second.lines[max(0, first.end_line + 1 - second.start_line) :]
    return Passage(
        better.hits + worse.hits,
        first.start_line,
        max(first.end_line, second.end_line),
        first.lines + new_lines,
    )


def _by_line(one: Passage, other: Passage) -> tuple[Passage, Passage]:
    """Return both, the one that starts first before the other, the longer first among equals."""
    if (other.start_line, -other.end_line) < (one.start_line, -one.end_line):
        return other, one
    return one, other


def _same_file(one: SearchHit, other: SearchHit) -> bool:
    return (one.repo, one.uri, one.ref, one.content_hash) == (
        other.repo,
        other.uri,
        other.ref,
        other.content_hash,
    )


def cite(n: int, passage: Passage, lines: tuple[int, int] | None = None) -> Citation:
    """Return citation ``n`` of the passage or of the given lines of it.

    ``verified`` says that the passage's hits hold exactly these lines, of a file that still does.
    """
    start, end = lines or (passage.start_line, passage.end_line)
    hit = passage.best
    return Citation(
        n=n,
        uri=hit.uri,
        start_line=start,
        end_line=end,
        repo=hit.repo,
        language=hit.language,
        commit=hit.commit,
        content_hash=hit.content_hash,
        snippet_id=hit.doc_id,
        verified=_holds(passage, start, end),
    )


def _holds(passage: Passage, start: int, end: int) -> bool:
    return (
        bool(passage.best.uri)
        and passage.is_exact
        and 1 <= passage.start_line <= start <= end <= passage.end_line
        and not any(hit.stale for hit in passage.hits)
        and all(_same_file(hit, passage.best) for hit in passage.hits)
    )
