"""An answer without a language model: what the best snippets are, in their own words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from codeintel_rev.answer.entries import Entry, entry_of, terms_of
from codeintel_rev.answer.passages import cite, without_repeats
from codeintel_rev.answer.sentences import inline_code, quoted, shortened
from codeintel_rev.types import Citation, SearchHit

Piece = str | tuple[Citation, ...]
"""A stretch of an answer: text, or the places that stand behind the text before it."""

_GROUPS = {"code": "Also in the code:", "docs": "In the documentation:", "tests": "In the tests:"}


def extractive_answer(query: str, hits: Sequence[SearchHit]) -> list[Piece]:
    """Return an answer that names each snippet of at least one once, with its lines.

    The best hit leads; the others follow by kind of file, best first. Everything said is read from
    the snippets: kinds and symbols from the index, documentation and mentions from their text.
    """
    terms = terms_of(query)
    entries = [entry_of(passage, terms) for passage in without_repeats(hits)]
    pieces: list[Piece] = ["The closest match is the ", *_described(1, entries[0], entries)]
    n = 1
    for group, heading in _GROUPS.items():
        members = [entry for entry in entries[1:] if entry.group == group]
        if members:
            pieces.append(f"\n\n{heading}")
        for entry in members:
            n += 1
            pieces += ["\n- ", *_described(n, entry, entries)]
    return pieces


def extractive_sources(hits: Sequence[SearchHit]) -> list[Piece]:
    """Return a plain list of the snippets, to follow an answer that cites none of them."""
    pieces: list[Piece] = ["\n\nSources:"]
    for n, passage in enumerate(without_repeats(hits), start=1):
        entry = entry_of(passage)
        pieces += [f"\n- {entry.title} ", (cite(n, passage, entry.lines),)]
    return pieces


def nothing_found(query: str, limits: Collection[str] = ()) -> str:
    """Return the answer to a question for which there are no snippets."""
    if "scope_empty" in limits:
        return "The scope selects no file, so there is nothing to answer from."
    if "no_retrieval" in limits:
        return f"Retrieval failed, so nothing can be said about {quoted(query)}."
    return f"Nothing in the index matches {quoted(query)}."


def _described(n: int, entry: Entry, entries: Sequence[Entry]) -> list[Piece]:
    pieces: list[Piece] = [f"{entry.title} ", (cite(n, entry.passage, entry.lines),)]
    if entry.doc:
        pieces.append(f": {quoted(entry.doc)}")
    elif entry.signature:
        pieces.append(f": {inline_code(shortened(entry.signature))}")
    members = entry.members()
    if members:
        pieces.append(f"; it defines {_names(members)}")
    mentions = [name for name in entry.mentions(entries) if name not in members]
    if mentions:
        pieces.append(f"; it mentions {_names(mentions)}")
    return pieces


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(inline_code, names))
