"""An answer without a language model: what the best snippets are, in their own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import count

from codeintel_rev.answer.entries import Entry, Symbols, entries_of, entry_of, symbols_of
from codeintel_rev.answer.excerpts import (
    Excerpt,
    guide_excerpt,
    message_excerpt,
    raises,
    telling_excerpt,
)
from codeintel_rev.answer.passages import Passage, cite, merge_pieces, without_repeats
from codeintel_rev.answer.question import Question, question_of, stems_of
from codeintel_rev.answer.relations import grouped, relevant
from codeintel_rev.answer.sentences import fenced, inline_code, quoted, shortened
from codeintel_rev.types import Citation, SearchHit

Piece = str | tuple[Citation, ...]
"""A stretch of an answer: text, or the places that stand behind the text before it."""

MAX_ENTRIES = 6
"""Snippets that an answer names beside the one that leads."""

MAX_HEIRS = 20
"""The same for a question that asks for the heirs of a type: all that were found."""

NEAREST = 3
"""Snippets shown where none supports an answer."""

_ABOUT_SHARE = 0.5
"""Share of a question that a name has to hold for its definition to lead."""

_ASKS_FOR_TESTS = re.compile(
    r"\btested\b|\b(?:which|what) tests?\b|\bTest[A-Z]\w+|\btest_\w+"
    r"|\btests? (?:case|class|file|fixture|function|method|module|suite)(?:e?s)?\b"
)
"""Elsewhere the word says what a program does: run tests, time them out."""

_LONG_BODY = 2
"""A body of fewer lines is told by its first sentence and signature alone."""


def extractive_answer(
    query: str, hits: Sequence[SearchHit], symbols: Symbols | None = None
) -> list[Piece]:
    """Return an answer from at least one hit, in which each snippet comes with its lines.

    The snippet that fits best leads: the definition of a name that the question holds, the
    statement that prints the message it quotes, the line that tells the default it asks for, else
    the best hit. The others follow by how they
    stand to it. Everything said is read from the symbols of the index and the snippets' text.
    """
    question = question_of(query)
    entries = list(entries_of(merge_pieces(hits), question, symbols or {}))
    numbers = count(1)
    if source := _source_of_message(question, entries):
        lead, excerpt = source
        pieces = _told_message(lead, excerpt, numbers)
    elif default := _default_asked_for(question, entries):
        lead, excerpt = default
        pieces = _told_default(lead, excerpt, numbers)
    else:
        lead = _lead(question, entries)
        pieces = _told_lead(question, lead, numbers)
    others = [entry for entry in entries if entry is not lead]
    most = MAX_HEIRS if question.heirs_of else MAX_ENTRIES
    chosen = relevant(question, lead, others)[:most]
    for heading, members in grouped(lead, chosen).items():
        pieces.append(f"\n\n{heading}")
        for entry in members:
            pieces += ["\n- ", *_described(next(numbers), entry)]
    return pieces


def extractive_sources(hits: Sequence[SearchHit], symbols: Symbols | None = None) -> list[Piece]:
    """Return a plain list of the snippets, to follow an answer that cites none of them."""
    pieces: list[Piece] = ["\n\nSources:"]
    for n, passage in enumerate(without_repeats(hits), start=1):
        entry = entry_of(passage, question_of(""), symbols_of(passage, symbols or {}))
        pieces += [f"\n- {entry.title} ", (cite(n, passage, entry.lines),)]
    return pieces


def unsupported_answer(
    query: str, hits: Sequence[SearchHit], symbols: Symbols | None = None
) -> list[Piece]:
    """Return the answer to a question that the hits do not support: so much, and the nearest."""
    entries = entries_of(merge_pieces(hits), question_of(query), symbols or {})
    pieces: list[Piece] = [f"I found nothing in the index that answers {quoted(query)}. Nearest:"]
    for n, entry in zip(range(1, NEAREST + 1), entries, strict=False):
        pieces += ["\n- ", *_described(n, entry)]
    return pieces


def nothing_found(query: str, limits: Collection[str] = ()) -> str:
    """Return the answer to a question for which there are no snippets."""
    if "scope_empty" in limits:
        return "No indexed file is in scope, so there is nothing to answer from."
    if "no_retrieval" in limits:
        return f"Retrieval failed, so nothing can be said about {quoted(query)}."
    return f"Nothing in the index matches {quoted(query)}."


def _source_of_message(
    question: Question, entries: Sequence[Entry]
) -> tuple[Entry, Excerpt] | None:
    """Return where the message that the question quotes stands.

    Code goes before tests and documents, and what does something before what only names it.
    """

    def place(entry: Entry) -> tuple[int, bool]:
        return ("code", "tests", "docs").index(entry.group), entry.is_macro

    for entry in sorted(entries, key=place):
        excerpt = message_excerpt(question, entry.passage.lines)
        if excerpt is not None:
            return entry, excerpt
    return None


def _default_asked_for(
    question: Question, entries: Sequence[Entry]
) -> tuple[Entry, Excerpt] | None:
    """Return the lines that tell the default which the question asks for, if one does."""
    if not question.default_of:
        return None
    found = [(entry, entry.default_of(question.default_of)) for entry in entries]
    told = [(entry, value) for entry, value in found if value is not None]
    if not told:
        return None
    entry, value = max(told, key=lambda pair: pair[1].worth)
    return entry, Excerpt(value.first, value.line)


def _lead(question: Question, entries: Sequence[Entry]) -> Entry:
    """Return the entry to begin with: what the question is about by name, else the best that has one.

    A name that comes with its owner leaves no doubt. Another is what it is about where it holds
    half of what is asked; in a longer question it is mostly where to look, and the best snippet
    tells more. A test shows how something is used, not how it works: code as near goes before it.
    """
    owned = [entry for entry in entries if entry.is_asked_for(question)]
    named = [
        entry
        for entry in entries
        if entry.definition
        and entry.group == "code"
        and entry.name in question.names
        and question.share_in(stems_of(entry.name)) >= _ABOUT_SHARE
    ]
    named.sort(key=lambda entry: not entry.is_type)
    nearest = (
        entries[:3] if _ASKS_FOR_TESTS.search(question.text) else _code_first(question, entries)
    )
    with_name = [entry for entry in nearest if entry.definition or entry.doc]
    return next(iter([*owned, *named, *with_name]), entries[0])


def _code_first(question: Question, entries: Sequence[Entry]) -> list[Entry]:
    """Return the first entries, code before tests; among tests alone other code that says as much."""
    nearest = sorted(entries[:3], key=lambda entry: entry.group == "tests")
    if any(entry.group != "tests" for entry in nearest):
        return nearest
    least = question.share_in(nearest[0].stems)
    others = (entry for entry in entries[3:] if entry.group == "code")
    return [*(e for e in others if question.share_in(e.stems) >= least), *nearest]


def _told_message(entry: Entry, excerpt: Excerpt, numbers: Iterator[int]) -> list[Piece]:
    text = excerpt.of(entry.passage.lines)
    verb = "raised" if raises(text) else "found"
    around = entry.around(excerpt.first)
    is_inner = around is not None and around.name != entry.name
    inner = f"{around.kind} {inline_code(around.name)} in the " if around and is_inner else ""
    return [
        f"This text is {verb} in the {inner}{entry.title} ",
        (_cited(next(numbers), entry.passage, excerpt),),
        f":\n{fenced(text, entry.passage.best.language)}",
    ]


def _told_default(entry: Entry, excerpt: Excerpt, numbers: Iterator[int]) -> list[Piece]:
    return [
        f"The default stands in the {entry.title} ",
        (_cited(next(numbers), entry.passage, excerpt),),
        f":\n{fenced(excerpt.of(entry.passage.lines), entry.passage.best.language)}",
    ]


def _told_lead(question: Question, entry: Entry, numbers: Iterator[int]) -> list[Piece]:
    opening = "Look first in the" if question.aim == "place" else "The closest match is the"
    pieces: list[Piece] = [f"{opening} ", *_described(next(numbers), entry)]
    excerpt = _excerpt(question, entry)
    if question.aim == "explanation" and excerpt is not None:
        pieces += [
            "\n\nIn its lines ",
            (_cited(next(numbers), entry.passage, excerpt),),
            f":\n{fenced(excerpt.of(entry.passage.lines), entry.passage.best.language)}",
        ]
    return pieces


def _excerpt(question: Question, entry: Entry) -> Excerpt | None:
    """Return the telling lines of a definition long enough to need it, its head left out.

    Who asks how to do something is shown what a section of a document says to do.
    """
    found, passage = entry.definition, entry.passage
    if entry.group == "docs" and question.is_how_to:
        return guide_excerpt(question, passage.lines)
    if found is None or entry.group != "code" or found.last - found.body < _LONG_BODY - 1:
        return None
    excerpt = telling_excerpt(question, passage.lines[found.body : found.last + 1])
    return Excerpt(excerpt.first + found.body, excerpt.last + found.body)


def _cited(n: int, passage: Passage, excerpt: Excerpt) -> Citation:
    start = passage.start_line
    return cite(n, passage, (start + excerpt.first, start + excerpt.last))


def _described(n: int, entry: Entry) -> list[Piece]:
    pieces: list[Piece] = [f"{entry.title} ", (cite(n, entry.passage, entry.lines),)]
    if entry.doc:
        pieces.append(f": {quoted(entry.doc)}")
    elif entry.signature:
        pieces.append(f": {inline_code(shortened(entry.signature))}")
    if entry.members:
        pieces.append(f"; it defines {', '.join(map(inline_code, entry.members))}")
    return pieces
