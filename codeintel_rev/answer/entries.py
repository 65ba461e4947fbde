"""Entries: what a snippet is, read from the symbols of its file and from its own text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from codeintel_rev.answer.definitions import (
    Definition,
    definition_of,
    definitions_in,
    file_doc,
    leaf,
    names_defined_in,
    opening_of,
    prose_of,
    prose_only,
)
from codeintel_rev.answer.passages import Passage
from codeintel_rev.answer.question import Question, stems_of
from codeintel_rev.answer.sentences import inline_code, plain_heading, quoted, shortened
from codeintel_rev.retrieval.default_values import Value, default_value
from codeintel_rev.retrieval.heirs import extends
from codeintel_rev.retrieval.path_signs import is_in_test_module
from codeintel_rev.retrieval.traits import PROSE
from codeintel_rev.types import SearchHit, Symbol

MAX_NAMES = 4
"""How many members an entry lists."""

MAX_OPENING = 80
"""Characters of the line that stands for a snippet without a name."""

_WHOLE_SNIPPET_KINDS = frozenset({"", "block", "lines", "module"})
"""Kinds that speak of a snippet's shape rather than of its symbol."""

_CALLABLE = frozenset({"function", "method"})
_TYPES = frozenset(
    {"class", "dataclass", "enum", "interface", "protocol", "struct", "trait", "type"}
)
_TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|testing)/|(?:^|/)(?:test_[^/]*|conftest\.py)$"
    r"|[._-](?:test|tests|spec)\.\w+$|(?:Test|Tests|Spec)\.\w+$"
)
Symbols = Mapping[int, Sequence[Symbol]]
"""By ``SearchHit.doc_id``: the parser's definitions of a hit's file that ``names_in`` asks for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A snippet as an answer names it."""

    passage: Passage
    definition: Definition | None
    title: str
    """What it is: kind and name, or how it starts."""
    doc: str
    """First sentence of its documentation, or empty."""
    inside: tuple[Definition, ...] = ()
    """Everything that is defined in the snippet, in order."""
    is_block: bool = False
    """Whether it holds more than one thing."""

    @property
    def lines(self) -> tuple[int, int]:
        """The lines to cite: all, or of a block those of the definition that is named."""
        passage, found = self.passage, self.definition
        is_own = self.names_symbol and not self.is_block
        if found is None or is_own or not passage.is_exact:
            return passage.start_line, passage.end_line
        return passage.start_line + found.first, passage.start_line + found.last

    @property
    def names_symbol(self) -> bool:
        """Whether the definition is the one that the index names for the snippet."""
        return self.definition is not None and self.definition.defines(self.passage.best.symbol)

    @property
    def group(self) -> str:
        """Where it is listed: ``code``, ``docs`` or ``tests``."""
        hit = self.passage.best
        return _group(hit.uri, hit.symbol, hit.language)

    @property
    def name(self) -> str:
        """The last name of what it defines, or is a part of; empty when there is none."""
        return self.definition.name if self.definition else leaf(self.passage.best.symbol)

    def is_asked_for(self, question: Question) -> bool:
        """Return whether it is what the question names with its owner."""
        hit = self.passage.best
        return bool(self.definition) and question.asks_for(self.name, hit.symbol, hit.uri)

    @property
    def is_type(self) -> bool:
        """Whether it defines a type."""
        return self.definition is not None and self.definition.kind in _TYPES

    @property
    def is_macro(self) -> bool:
        """Whether it gives a name to a text."""
        return self.definition is not None and self.definition.kind == "macro"

    @property
    def signature(self) -> str:
        """How the definition reads, or empty where that tells no more than its name."""
        if self.definition is None or self.group == "tests":
            return ""
        signature = self.definition.signature
        return signature if re.search(r"[(=]", signature) else ""

    @property
    def code(self) -> str:
        """Its text below the line that names it."""
        if self.definition is None:
            return self.passage.code
        found = self.definition
        return "\n".join(self.passage.lines[found.line + 1 : found.last + 1])

    @property
    def stems(self) -> frozenset[str]:
        """Stems of all its telling words: of its text, its symbol and its path."""
        hit = self.passage.best
        return stems_of(f"{hit.uri} {hit.symbol} {self.passage.code}")

    @property
    def says_something(self) -> bool:
        """Whether it is more than loose lines of code."""
        return bool(self.definition or self.doc or self.passage.best.symbol)

    @property
    def members(self) -> list[str]:
        """Names that a type defines; a function keeps its own to itself."""
        own = self.definition
        if own is None or own.kind in _CALLABLE:
            return []
        names = [found.name for found in self.inside if own.line < found.line <= own.last]
        return [name for name in dict.fromkeys(names) if not name.startswith("_")][:MAX_NAMES]

    def default_of(self, asked: Mapping[str, float]) -> Value | None:
        """Return the line that tells the default of what is asked, if there is one; none of a test."""
        if self.group == "tests":
            return None
        hit = self.passage.best
        text = "\n".join(self.passage.lines)
        return default_value(asked, hit.uri, hit.symbol, text, is_prose=self.group == "docs")

    def around(self, line: int) -> Definition | None:
        """Return the innermost definition around a line of the snippet, the first being 0."""
        return next((d for d in reversed(self.inside) if d.line <= line <= d.last), None)

    def extends(self, name: str) -> bool:
        """Return whether it defines a type that has ``name`` among its bases."""
        found, lines = self.definition, self.passage.lines
        return extends(lines[found.line : found.body] if found else lines[:1], name)

    def mentions(self, name: str) -> bool:
        """Return whether its code speaks of something called ``name``.

        A name that may as well be a plain word (``match``) has to be called.
        """
        if not name or name == self.name or name not in self.passage.code:
            return False
        return _mention(name).search(self.code) is not None


@lru_cache(maxsize=1024)
def _group(uri: str, symbol: str, language: str) -> str:
    if _TEST_PATH.search(uri) or is_in_test_module(symbol):
        return "tests"
    return "docs" if language in PROSE else "code"


@lru_cache(maxsize=1024)
def _mention(name: str) -> re.Pattern[str]:
    tail = "" if re.search(r"[A-Z_\d]", name) else r"\s*(?:::<[^>]*>)?\("
    return re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$]){tail}")


def names_in(hit: SearchHit) -> set[str]:
    """Return the names whose symbols tell what the hit is: its own, and those that it defines."""
    return names_defined_in(hit.code.split("\n")) | {leaf(hit.symbol)} - {""}


def entries_of(
    passages: Sequence[Passage], question: Question, symbols: Symbols
) -> Iterator[Entry]:
    """Yield the entry of each passage; further pieces of one definition are left out."""
    seen: set[tuple[str, ...]] = set()
    for passage in passages:
        hit = passage.best
        key = (hit.repo, hit.uri, hit.symbol, hit.kind)
        if key in seen:
            continue
        if hit.symbol and hit.kind not in _WHOLE_SNIPPET_KINDS | {"section"}:
            seen.add(key)
        yield entry_of(passage, question, symbols_of(passage, symbols))


def symbols_of(passage: Passage, symbols: Symbols) -> Sequence[Symbol] | None:
    """Return what is known to be defined in a passage; ``None`` when nothing is known of its file."""
    known = [symbols[hit.doc_id] for hit in passage.hits if hit.doc_id in symbols]
    return [symbol for found in known for symbol in found] if known else None


def entry_of(passage: Passage, question: Question, symbols: Sequence[Symbol] | None) -> Entry:
    """Return the entry of a passage; without ``symbols`` its text alone says what it defines."""
    hit = passage.best
    if hit.kind == "section":
        return _section(passage)
    read = definitions_in(passage.lines)
    inside = tuple(_confirmed(read, passage, symbols))
    own = _own_definition(passage, symbols, read)
    is_block = hit.kind in _WHOLE_SNIPPET_KINDS or _has_siblings(own, inside)
    definition = _spoken_of(question, hit, own, inside, is_block=is_block)
    if definition is None:
        title, doc = _partial(passage, symbols or ())
        return Entry(passage, None, title, doc, inside, is_block)
    name = hit.symbol if definition.defines(hit.symbol) else definition.name
    title = _named(definition.kind, name)
    if definition.kind == "impl":
        title = inline_code(shortened(definition.signature, MAX_OPENING))
    return Entry(passage, definition, title, definition.doc, inside, is_block)


def _spoken_of(
    question: Question,
    hit: SearchHit,
    own: Definition | None,
    inside: Sequence[Definition],
    *,
    is_block: bool,
) -> Definition | None:
    """Return the definition of a snippet that an answer speaks of, if there is one."""
    candidates = [*([own] if own else ()), *inside]
    asked = [d for d in candidates if question.asks_for(d.name, hit.symbol, hit.uri)]
    if asked or (own and not is_block):
        return next(iter(asked), own)
    return _nearest(candidates, question, least=not is_block)


def _named(kind: str, name: str) -> str:
    return f"{kind} {inline_code(name)}"


def _section(passage: Passage) -> Entry:
    hit = passage.best
    heading = plain_heading(hit.symbol)
    title = f"section {quoted(heading)}" if heading else "text"
    return Entry(passage, None, title, prose_of(passage.lines) if hit.language in PROSE else "")


def _partial(passage: Passage, symbols: Sequence[Symbol]) -> tuple[str, str]:
    """Return title and documentation of lines that define nothing themselves."""
    hit = passage.best
    own = next((s for s in symbols if s.qualname == hit.symbol and _reaches(s, hit)), None)
    if own is not None and hit.kind not in _WHOLE_SNIPPET_KINDS:
        return _named(own.kind, own.qualname), prose_only(own.doc)
    if passage.start_line == 1:
        return f"file {inline_code(hit.uri)}", file_doc(passage.lines)
    named = f"part of {inline_code(hit.symbol)}" if hit.symbol else "lines"
    opening = shortened(opening_of(passage.lines), MAX_OPENING)
    return f"{named} starting {inline_code(opening)}", ""


def _reaches(symbol: Symbol, hit: SearchHit) -> bool:
    return symbol.start_line <= hit.end_line and hit.start_line <= symbol.end_line


def _own_definition(
    passage: Passage, symbols: Sequence[Symbol] | None, read: Sequence[Definition]
) -> Definition | None:
    """Return the definition that the index names the snippet after, if it begins in it."""
    hit = passage.best
    kind = "" if hit.kind in _WHOLE_SNIPPET_KINDS else hit.kind
    own = definition_of(passage.lines, hit.symbol, kind, read)
    if own is None:
        return None
    confirmed = _confirmed([own], passage, symbols)
    return confirmed[0] if confirmed else own if kind else None


def _has_siblings(own: Definition | None, inside: Sequence[Definition]) -> bool:
    """Return whether other definitions stand beside the snippet's own."""
    return own is not None and any(d.first > own.last or d.last < own.first for d in inside)


def _nearest(
    candidates: Sequence[Definition], question: Question, *, least: bool
) -> Definition | None:
    """Return the definition that says most of the question, ``least`` something at all."""
    best = max(candidates, key=lambda found: _overlap(found, question), default=None)
    return best if best and (_overlap(best, question) or not least) else None


def _confirmed(
    found: Sequence[Definition], passage: Passage, symbols: Sequence[Symbol] | None
) -> list[Definition]:
    """Return the definitions that the parser saw too, with what it knows of them.

    Without ``symbols`` all of them are believed.
    """
    if symbols is None:
        return list(found)
    known = {(symbol.name, symbol.line - passage.start_line): symbol for symbol in symbols}
    pairs = ((definition, known.get((definition.name, definition.line))) for definition in found)
    return [_as_parsed(read, parsed, passage) for read, parsed in pairs if parsed is not None]


def _as_parsed(definition: Definition, symbol: Symbol, passage: Passage) -> Definition:
    """Return a definition with its kind, extent and documentation as the parser has them.

    Documentation is quoted from the text where that holds it whole: the record keeps a line.
    """
    last = min(symbol.end_line, passage.end_line) - passage.start_line
    known = prose_only(symbol.doc)
    is_whole = definition.doc.startswith(known)
    return replace(
        definition,
        kind=symbol.kind,
        last=max(definition.line, last),
        doc=definition.doc if is_whole else known,
    )


def _overlap(definition: Definition, question: Question) -> float:
    """Return how much of the question a definition's name and documentation say; its name is all."""
    if definition.name in question.names:
        return 1.0
    return question.share_in(stems_of(f"{definition.name} {definition.doc}"))
