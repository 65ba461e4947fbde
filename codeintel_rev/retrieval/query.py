"""What a query asks for, told from its text alone (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

from codeintel_rev.retrieval.default_values import asked_default
from codeintel_rev.retrieval.heirs import heirs_asked_for
from codeintel_rev.retrieval.spelled_names import spelled_names
from codeintel_rev.retrieval.stop_words import (
    FRAME_WORDS,
    FUNCTION_WORDS,
    STOP_WORDS,
    TYPE_WORDS,
)
from codeintel_rev.text.code_tokenizer import tokenize, words_of
from codeintel_rev.text.kinds import FUNCTIONS, TYPES

_LOCATION = re.compile(r"^\s*([\w./\\@+~-]++)(?:(?<=\w)|(?<=\w\.)):(\d{1,7})(?:[:-]\d+)?\s*$")
_IDENTIFIER = re.compile(r"^\s*[A-Za-z_$][\w$]*(?:(?:\.|::|->|#)[A-Za-z_$][\w$]*)*(?:\(\s*\))?\s*$")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_CODE_NAME = re.compile(
    r"(?<![\w.])(?:[A-Za-z]+_\w+|_\w{2,}|[a-z][a-z0-9]*[A-Z]\w*|[A-Z]+[a-z0-9]+[A-Z]\w*|[A-Za-z_]\w*(?=\(\)))"
)
"""Names that no English sentence holds: with underscores, inner capitals or call parentheses."""

_QUALIFIED = re.compile(r"(?<![\w.:/\\-])(?:[A-Za-z_]\w*(?:\.|::|->|#))+[A-Za-z_]\w+(?![\w/])")
"""Names with what they belong to; paths and the ends of sentences look alike and define nothing."""

_CAPITALISED = re.compile(r"(?<=[\w,;)] )[A-Z][a-z]\w+(?![\w./])")
"""A sentence begins with one too, and `Foo.bar` and paths are read by the others."""

_KINDS = dict.fromkeys(TYPE_WORDS, TYPES) | dict.fromkeys(FUNCTION_WORDS, FUNCTIONS)
_KIND = rf"(?P<kind>{'|'.join(_KINDS)})"
_WITH_KIND = (
    re.compile(rf"\b(?P<name>[A-Za-z_]\w+)(?:\(\))? {_KIND}\b", re.IGNORECASE),
    re.compile(rf"\b{_KIND} (?P<name>[A-Za-z_]\w+)", re.IGNORECASE),
)

_CHAIN = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->|#)[A-Za-z_$][\w$]*)*")

_DEFINED = re.compile(r"\b(?:declar|defin)(?:ed|ition)\b", re.IGNORECASE)

_QUOTED = re.compile(r"""(?<!\w)(["'`])(?P<text>[^"'`\n]{8,200})\1(?!\w)""")
_CODE_MARK = re.compile(r"[(){}\[\];=<>]|::|->")
_MAX_LITERAL_CHARS = 400
"""A longer paste is an issue or a file: its terms tell more than its exact text."""

_LEAST_QUOTED = 1 / 3
"""Share of a query's words from which on it asks for what it quotes; below, it only mentions it."""

_QUESTION = re.compile(
    r"\s*(?:who|what|where|when|why|which|whose|how|is|are|does|do|did|can|could|should)\s"
    r"|.*\?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_HOW_TO = re.compile(
    r"\s*how (?:(?:do|can) (?:i|we|you|one)|(?:could|should) (?:i|we|one))\b", re.IGNORECASE
)
_MIN_MESSAGE_WORDS = 6
_MIN_RUN_WORDS = 5
"""Fewer words than these in a row are found in any prose."""

_MAX_NAMES = 8
"""Names of a kind looked up exactly for one query; a pasted file must not cost thousands of lookups."""


class Mention(NamedTuple):
    """A name that only its place in a sentence tells from a word."""

    name: str
    kinds: frozenset[str]
    """What is meant is of one of these."""


class ParsedQuery(NamedTuple):
    """A query as every retrieval stage needs it."""

    text: str
    terms: tuple[str, ...]
    """Terms of the code tokenizer, in order, with repeats, without stop words."""
    title: frozenset[str]
    """Those of the first line: what an issue or a message is about; the rest may be a log."""
    location: tuple[str, int] | None = None
    """The file (or the end of its path) and line of ``path:line``."""
    names: tuple[str, ...] = ()
    """Identifiers to look up as definitions, most specific first: ``bar``, or with a dot ``Foo.bar``
    for what is called so in or beside something called ``Foo``."""
    mentions: tuple[Mention, ...] = ()
    """What a sentence calls by a plain word, and says or shows what kind of thing it is."""
    is_identifier: bool = False
    """Whether the query asks for one name, and for nothing else."""
    is_how_to: bool = False
    """Whether somebody asks how to do something with the code, not how the code does it."""
    heirs_of: str | None = None
    """The type of which it asks what extends or implements it."""
    spelled: tuple[str, ...] = ()
    """Ways to write the one name that the query may be, said in words."""
    default_of: Mapping[str, float] = {}
    """What it asks the default of: stems of words, and how rare each is in code at large."""
    literals: tuple[str, ...] = ()
    """Text to be found as it stands, white space aside: quoted strings, or a pasted line of code."""
    runs: tuple[str, ...] = ()
    """Runs of words of what may be a message that a program printed; see ``message_runs``."""


def parse_query(text: str) -> ParsedQuery:
    """Tell a location, an identifier and free text apart."""
    terms = telling_terms(text)
    title = frozenset(telling_terms(text.strip().partition("\n")[0]))
    location = _LOCATION.match(text)
    if location is not None:
        path = location[1].replace("\\", "/").removeprefix("./")
        return ParsedQuery(text, terms, title, location=(path, int(location[2])))
    mentions = mentions_of(text)
    asked = text if _IDENTIFIER.match(text) else only_name(text, mentions)
    if asked is not None:
        parts = _NAME.findall(asked)
        names = (*_qualified(parts), *reversed(parts))
        return ParsedQuery(text, terms, title, names=names, is_identifier=True)
    quoted = literals_of(text)
    return ParsedQuery(
        text,
        terms,
        title,
        names=_names(text),
        mentions=mentions,
        literals=quoted if _is_mostly(quoted, text) else (),
        runs=() if quoted else message_runs(text),
        is_how_to=is_how_to(text),
        heirs_of=heirs_asked_for(text),
        spelled=() if quoted or is_how_to(text) else spelled_names(text),
        default_of={} if quoted else asked_default(text),
    )


def only_name(text: str, mentions: Sequence[Mention]) -> str | None:
    """Return the name that a question asks for, if no other word of it tells anything.

    A word that may as well be one of English has to be asked for as what is defined.
    """
    told = {name for name in _CHAIN.findall(text) if name.lower() not in FRAME_WORDS}
    if len(told) != 1:
        return None
    (name,) = told
    named = {mention.name for mention in mentions} | {
        match[0] for match in _CODE_NAME.finditer(text)
    }
    is_name = name in named or not name.isidentifier() or _DEFINED.search(text) is not None
    return name if is_name else None


def _names(text: str) -> tuple[str, ...]:
    """Return the names of code in a sentence."""
    owned = qualified_names(text) if len(text) <= _MAX_LITERAL_CHARS else ()
    return *_first(owned), *_first(m[0] for m in _CODE_NAME.finditer(text))


def mentions_of(text: str) -> tuple[Mention, ...]:
    """Return what stands with its kind (``the inspect function``), or with a capital in a sentence."""
    said = [
        Mention(match["name"], _KINDS[match["kind"].lower()])
        for match in chain.from_iterable(pattern.finditer(text) for pattern in _WITH_KIND)
    ]
    told = [mention for mention in said if mention.name.lower() not in STOP_WORDS]
    return tuple(islice(dict.fromkeys([*told, *_capitalised(text)]), _MAX_NAMES))


def _capitalised(text: str) -> Iterator[Mention]:
    """Yield the words with a capital inside sentences; none of a text in title case."""
    words = _NAME.findall(text)
    if 2 * sum(word[0].isupper() for word in words) <= len(words) + 1:
        yield from (Mention(match[0], TYPES) for match in _CAPITALISED.finditer(text))


def qualified_names(text: str) -> Iterator[str]:
    """Yield the names in a sentence that stand with their owner, as ``Foo.bar``."""
    for match in _QUALIFIED.finditer(text):
        yield from _qualified(_NAME.findall(match[0]))


def belongs(owner: str, symbol: str, uri: str) -> bool:
    """Return whether code is of something called ``owner``: a definition, a file or a folder."""
    return owner in symbol.split(".") or owner in re.split(r"[/.]", uri)


def _first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys(names), _MAX_NAMES))


def _qualified(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the last part of a name with the one that it belongs to, if it has one."""
    return (".".join(parts[-2:]),) if len(parts) > 1 else ()


def _is_mostly(quoted: tuple[str, ...], text: str) -> bool:
    words = sum(len(words_of(literal)) for literal in quoted)
    return words >= _LEAST_QUOTED * len(words_of(text))


def literals_of(text: str) -> tuple[str, ...]:
    """Return what ``text`` asks to be found verbatim, with single spaces for white space."""
    if len(text) > _MAX_LITERAL_CHARS:
        return ()
    quoted = [one_line(match["text"]) for match in _QUOTED.finditer(text)]
    if quoted:
        return tuple(literal for literal in quoted if " " in literal or _CODE_MARK.search(literal))
    pasted = one_line(text)
    return (pasted,) if len(pasted.split()) > 1 and _CODE_MARK.search(pasted) else ()


def is_how_to(text: str) -> bool:
    """Return whether somebody asks how to do something, as in ``how do I run the tests?``."""
    return _HOW_TO.match(text) is not None


def message_runs(text: str) -> tuple[str, ...]:
    """Return the runs of words of which one stands in the text that printed a message.

    A run is two fifths of the message: the rest may be values that were filled in. Questions and
    pasted issues have none.
    """
    words = spoken(text).split()
    if len(words) < _MIN_MESSAGE_WORDS or len(text) > _MAX_LITERAL_CHARS or _QUESTION.match(text):
        return ()
    size = max(_MIN_RUN_WORDS, len(words) * 2 // 5)
    return tuple(" ".join(words[at : at + size]) for at in range(len(words) - size + 1))


def spoken(text: str) -> str:
    """Return the words of ``text`` in lower case with single spaces, and nothing else."""
    return " ".join(words_of(text.lower()))


def one_line(text: str) -> str:
    """Return ``text`` with single spaces for white space."""
    return " ".join(text.split())


def telling_terms(text: str) -> tuple[str, ...]:
    """Return the terms of ``text`` without stop words; all of them when it holds nothing else."""
    terms = tuple(tokenize(text))
    return tuple(term for term in terms if term not in STOP_WORDS) or terms
