"""Entries: what a snippet is, read from the index and from its own text."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from codeintel_rev.answer.definitions import (
    Definition,
    definition_of,
    definitions_in,
    file_doc,
    opening_of,
    prose_of,
)
from codeintel_rev.answer.passages import Passage
from codeintel_rev.answer.sentences import inline_code, plain_heading, quoted, shortened
from codeintel_rev.text.code_tokenizer import tokenize

MAX_NAMES = 4
"""How many members or mentions an entry lists."""

MAX_OPENING = 80
"""Characters of the line that stands for a snippet without a name."""

_WHOLE_SNIPPET_KINDS = frozenset({"", "block", "lines", "module"})
"""Kinds that speak of a snippet's shape rather than of its symbol."""

_TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|testing)/|(?:^|/)(?:test_[^/]*|conftest\.py)$"
    r"|[._-](?:test|tests|spec)\.\w+$|(?:Test|Tests|Spec)\.\w+$"
)
_DOC_LANGUAGES = frozenset({"markdown", "rst", "restructuredtext", "asciidoc", "text"})
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
    """A snippet as an answer names it."""

    passage: Passage
    definition: Definition | None
    title: str
    """What it is: kind and name, or how it starts."""
    doc: str
    """First sentence of its documentation, or empty."""

    @property
    def lines(self) -> tuple[int, int]:
        """The lines to cite: all, or of a block those of the definition that is named."""
        passage, found = self.passage, self.definition
        is_own = passage.best.kind not in _WHOLE_SNIPPET_KINDS and self.names_symbol
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
        if _TEST_PATH.search(hit.uri):
            return "tests"
        return "docs" if hit.language in _DOC_LANGUAGES else "code"

    @property
    def signature(self) -> str:
        """How the definition reads, or empty where that tells no more than its name."""
        if self.definition is None or self.group == "tests":
            return ""
        signature = self.definition.signature
        return signature if re.search(r"[(=]", signature) else ""

    @property
    def body(self) -> Sequence[str]:
        """The definition's lines below the one that names it."""
        if self.definition is None:
            return ()
        return self.passage.lines[self.definition.line + 1 : self.definition.last + 1]

    def members(self) -> list[str]:
        """Return the names defined inside a type; a function keeps its own to itself."""
        if self.definition is None or self.definition.kind in ("function", "method"):
            return []
        names = dict.fromkeys(found.name for found in definitions_in(self.body))
        return [name for name in names if name != "__init__"][:MAX_NAMES]

    def mentions(self, entries: Sequence[Entry]) -> list[str]:
        """Return the names of other definitions among the entries that its code mentions.

        Names that may as well be plain words (``match``) are left out.
        """
        words = set(re.findall(r"[A-Za-z_$][\w$]*", "\n".join(self.body)))
        names = dict.fromkeys(
            entry.definition.name for entry in entries if entry.definition and entry.group == "code"
        )
        own = self.definition.name if self.definition else ""
        telling = [n for n in names if n in words and n != own and re.search(r"[A-Z_\d]", n)]
        return telling[:MAX_NAMES]


def entry_of(passage: Passage, terms: Collection[str] = ()) -> Entry:
    """Return the entry of a passage, for a question with these terms."""
    hit = passage.best
    if hit.kind == "section":
        heading = plain_heading(hit.symbol)
        title = f"section {quoted(heading)}" if heading else "text"
        return Entry(passage, None, title, prose_of(passage.lines))
    definition = _telling_definition(passage, terms)
    if definition is None and passage.start_line == 1 and (doc := file_doc(passage.lines)):
        return Entry(passage, None, f"file {inline_code(hit.uri)}", doc)
    if definition is None:
        named = f"part of {inline_code(hit.symbol)}" if hit.symbol else "lines"
        opening = shortened(opening_of(passage.lines), MAX_OPENING)
        return Entry(passage, None, f"{named} starting {inline_code(opening)}", "")
    name = hit.symbol if definition.defines(hit.symbol) else definition.name
    return Entry(passage, definition, f"{definition.kind} {inline_code(name)}", definition.doc)


def terms_of(text: str) -> frozenset[str]:
    """Return the telling words of a text, without their endings."""
    return frozenset(
        _ENDING.sub("", term) if len(term) > 4 else term
        for term in tokenize(text)
        if term not in _STOP_WORDS
    )


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
    own = terms_of(f"{definition.name} {definition.doc}")
    return sum(term in own for term in terms)
