"""An answer without a language model: what the best snippets are, in their own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from codeintel_rev.answer.definitions import (
    Definition,
    definition_of,
    definitions_in,
    prose_of,
)
from codeintel_rev.answer.passages import Passage, cite, without_repeats
from codeintel_rev.answer.sentences import inline_code, one_line, shortened
from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.types import Citation, SearchHit

Piece = str | tuple[Citation, ...]
"""A stretch of an answer: text, or the places that stand behind the text before it."""

MAX_REFERENCES = 4
"""How many other snippets an entry names as mentioned in its own code."""

_TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|testing)/|(?:^|/)(?:test_[^/]*|conftest\.py)$"
    r"|[._-](?:test|tests|spec)\.\w+$|(?:Test|Tests|Spec)\.\w+$"
)
_DOC_LANGUAGES = frozenset({"markdown", "rst", "restructuredtext", "asciidoc", "text"})
_WHOLE_SNIPPET_KINDS = frozenset({"", "block", "lines", "module"})
"""Kinds that speak of a snippet's shape rather than of its symbol."""

_GROUPS = {"code": "Also in the code:", "docs": "In the documentation:", "tests": "In the tests:"}
_ENDING = re.compile(r"(?:ing|ions?|ed|ers?|es|s|e)$")
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "get",
        "has",
        "have",
        "how",
        "i",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "the",
        "there",
        "this",
        "to",
        "used",
        "using",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "with",
    ]
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A snippet as the answer names it."""

    passage: Passage
    definition: Definition | None
    title: str
    """What it is: kind and name, or how it starts."""
    doc: str

    @property
    def lines(self) -> tuple[int, int]:
        """The lines to cite: those of the definition, where one is named."""
        start = self.passage.start_line
        if self.definition is None or not self.passage.is_exact:
            return start, self.passage.end_line
        return start + self.definition.first, start + self.definition.last

    @property
    def group(self) -> str:
        """Where it is listed: ``code``, ``docs`` or ``tests``."""
        hit = self.passage.best
        if _TEST_PATH.search(hit.uri):
            return "tests"
        return "docs" if hit.language in _DOC_LANGUAGES else "code"


def extractive_answer(query: str, hits: Sequence[SearchHit]) -> list[Piece]:
    """Return an answer that names each snippet of at least one once, with its lines.

    The best hit leads; the others follow by kind of file, best first. Everything said is read from
    the snippets: kinds and symbols from the index, documentation and mentions from their text.
    """
    terms = _terms(query)
    entries = [_entry(passage, terms) for passage in without_repeats(hits)]
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


def extractive_sources(hits: Sequence[SearchHit], first: int = 1) -> list[Piece]:
    """Return a plain list of the snippets, to follow an answer that cites none of them."""
    pieces: list[Piece] = ["\n\nSources:"]
    for n, passage in enumerate(without_repeats(hits), start=first):
        entry = _entry(passage, frozenset())
        pieces += [f"\n- {entry.title}", " ", (cite(n, passage, entry.lines),)]
    return pieces


def nothing_found(query: str, limits: Collection[str] = ()) -> str:
    """Return the answer to a question for which there are no snippets."""
    if "scope_empty" in limits:
        return "The scope selects no file, so there is nothing to answer from."
    if "no_retrieval" in limits:
        return f"Retrieval failed, so nothing can be said about {_quoted(query)}."
    return f"Nothing in the index matches {_quoted(query)}."


def _described(n: int, entry: Entry, entries: Sequence[Entry]) -> list[Piece]:
    pieces: list[Piece] = [entry.title, " ", (cite(n, entry.passage, entry.lines),)]
    if entry.doc:
        pieces.append(f": {_quoted(entry.doc)}")
    elif entry.definition:
        pieces.append(f": {inline_code(shortened(entry.definition.signature))}")
    mentioned = _mentioned(entry, entries)
    if mentioned:
        pieces.append(f"; it mentions {', '.join(mentioned)}")
    return pieces


def _entry(passage: Passage, terms: Collection[str]) -> Entry:
    hit = passage.best
    definition = _telling_definition(passage, terms)
    if hit.kind == "section":
        title = f"section {_quoted(hit.symbol)}" if hit.symbol else "text"
        return Entry(passage, None, title, prose_of(passage.lines))
    if definition is None:
        start = next((line.strip() for line in passage.lines if line.strip()), "")
        named = f"part of {inline_code(hit.symbol)}" if hit.symbol else "lines"
        return Entry(passage, None, f"{named} starting {inline_code(shortened(start, 80))}", "")
    is_own = hit.symbol.endswith(definition.name)
    name = hit.symbol if is_own else definition.name
    return Entry(passage, definition, f"{definition.kind} {inline_code(name)}", definition.doc)


def _telling_definition(passage: Passage, terms: Collection[str]) -> Definition | None:
    """Return the definition to name: the symbol's own, or in a block the one nearest the query.

    A snippet that holds only a later part of its symbol names a definition inside that part when
    the query speaks of it.
    """
    hit = passage.best
    is_block = hit.kind in _WHOLE_SNIPPET_KINDS
    own = definition_of(passage.lines, hit.symbol, "" if is_block else hit.kind)
    if own is not None and not is_block:
        return own
    candidates = ([own] if own else []) + definitions_in(passage.lines)
    best = max(candidates, key=lambda found: _overlap(found, terms), default=None)
    return best if best and (is_block or _overlap(best, terms)) else None


def _overlap(definition: Definition, terms: Collection[str]) -> int:
    own = _terms(f"{definition.name} {definition.doc}")
    return sum(term in own for term in terms)


def _terms(text: str) -> frozenset[str]:
    """Return the telling words of a text, without their endings."""
    return frozenset(
        _ENDING.sub("", term) if len(term) > 4 else term
        for term in tokenize(text)
        if term not in _STOP_WORDS
    )


def _mentioned(entry: Entry, entries: Sequence[Entry]) -> list[str]:
    """Return the names of other entries that stand as words in this one's code."""
    if entry.definition is None or entry.group == "docs":
        return []
    code = entry.passage.lines[entry.definition.line + 1 : entry.definition.last + 1]
    words = set(re.findall(r"[A-Za-z_$][\w$]*", "\n".join(code)))
    names = [e.definition.name for e in entries if e.definition and e.group == "code"]
    named = [n for n in dict.fromkeys(names) if n in words and n != entry.definition.name]
    return [inline_code(name) for name in named if len(name) > 2][:MAX_REFERENCES]


def _quoted(text: str) -> str:
    return f"\u201c{shortened(one_line(text))}\u201d"
