"""Lines that tell what something is by default, in code and in documents (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from codeintel_rev.retrieval.spelled_names import DEFAULT_WORDS, told_words
from codeintel_rev.retrieval.traits import PROSE, is_of_test
from codeintel_rev.retrieval.value_lines import (
    is_below_heading,
    is_empty,
    says_default,
    valued_names,
)
from codeintel_rev.retrieval.word_forms import stem
from codeintel_rev.text.background_idf import background_idf
from codeintel_rev.text.code_tokenizer import distinct_terms, tokenize
from codeintel_rev.types import ChunkHead

_MOST_WORDS = 6
"""A longer question is about more than a value."""

_MAX_LINE = 300
_ALL, _MOST = 0.99, 0.45
"""Shares of what is asked that all there is, and a name alone, has to hold."""

_LEAST_WORTH = 0.9
_WHOLE_NAME_WORTH = 0.3
_DEFAULT_WORTH = 0.5
_NAMED_DEFAULT_WORTH = 0.2
_CONTEXT_SHARE = 0.5
"""What a word counts that stands beside the name: in the line, the symbol or the file's name."""

_FURTHER_WORD_COST = 0.07
_EMPTY_COST = 0.2
"""What is nothing by default is mostly given its value elsewhere."""

_PARTIAL = 0.85
"""What a default is worth whose line and surroundings leave something unsaid."""

_AS_GOOD = 0.1
"""A value that is worth less than the best by this much is no answer beside it."""

_MOST_ROWS = 3

_DEFAULT_STEMS = frozenset(map(stem, [*DEFAULT_WORDS, "value"]))


class Value(NamedTuple):
    """A line that may tell the default."""

    line: int
    """Counted from the first of its text, which is 0."""
    first: int
    """Where that begins which has this default: the same line, or one shortly before."""
    worth: float
    """How well it fits; values of one question compare."""


def asked_default(text: str) -> Mapping[str, float]:
    """Return what a query asks the default of: stems, and how rare each is in code at large.

    Empty when it does not ask for one.
    """
    told = told_words(text) if "default" in text.lower() else []
    asked = [word for word in told if word not in DEFAULT_WORDS]
    if len(asked) == len(told) or not 1 <= len(asked) <= _MOST_WORDS:
        return {}
    terms = {term for word in asked for term in tokenize(word)}
    return {stem(term): max(background_idf(term), 0.1) for term in terms}


def telling_default(
    asked: Mapping[str, float],
    heads: Mapping[int, ChunkHead],
    texts: Iterable[tuple[int, bytes]],
) -> list[int]:
    """Return the rows whose text tells the default best; none of a test, which sets its own."""
    worths = {}
    for row, text in texts:
        head = heads.get(row)
        if head is None or is_of_test(head):
            continue
        plain = text.decode("utf-8", "replace")
        value = default_value(asked, head.uri, head.symbol, plain, is_prose=head.lang in PROSE)
        if value is not None:
            worths[row] = value.worth
    least = max(worths.values(), default=0.0) - _AS_GOOD
    found = sorted((row for row in worths if worths[row] >= least), key=lambda row: -worths[row])
    return found[:_MOST_ROWS]


def default_value(
    asked: Mapping[str, float], uri: str, symbol: str, text: str, *, is_prose: bool
) -> Value | None:
    """Return the line of a chunk that best tells the default of what is asked.

    A line of code gives a value to a name that holds most of what is asked; the rest, and that it is
    a default, may be said by the line, by the symbol or the name of the file around it. A document
    tells it below a heading, and either may say it in words.
    """
    lines = [line[:_MAX_LINE] for line in text.split("\n")]
    around = _stems(f"{uri.rpartition('/')[2]} {symbol}")
    holds_all = (share := _share(asked, around | _stems(text))) >= _ALL
    if share < _MOST:
        return None
    heading = _stems(symbol.rpartition(">")[2]) if is_prose else frozenset()
    best = None
    for number, line in enumerate(lines):
        said = _stems(line)
        for first, name in _named(asked, lines, number, heading):
            worth = _worth(asked, name, said | around, holds_all=holds_all)
            worth -= _EMPTY_COST * (is_empty(line))
            if worth >= _LEAST_WORTH and (best is None or worth > best.worth):
                best = Value(number, first, worth)
    return best


def _named(
    asked: Mapping[str, float], lines: Sequence[str], number: int, heading: frozenset[str]
) -> Iterator[tuple[int, frozenset[str]]]:
    """Yield where each thing stands that a line gives a value to, and the stems of its name.

    A sentence has to say all that is asked.
    """
    line = lines[number]
    if heading and is_below_heading(line):
        yield number, heading
    elif not heading:
        yield from ((first, _stems(name)) for first, name in valued_names(lines, number))
    if says_default(line) and asked.keys() <= (said := _stems(line)):
        yield number, said


def _worth(
    asked: Mapping[str, float], name: frozenset[str], near: frozenset[str], *, holds_all: bool
) -> float:
    """Return how well a name and what is said near it fit what is asked, 0 where they do not.

    What is asked has to be in the chunk as a whole, unless the name says that it is a default.
    """
    own, whole = _share(asked, name), _share(asked, name | near)
    is_named = not _DEFAULT_STEMS.isdisjoint(name)
    is_default = is_named or not _DEFAULT_STEMS.isdisjoint(near)
    if own < _MOST or not (holds_all or is_named):
        return 0.0
    worth = own + _CONTEXT_SHARE * (whole - own) + _WHOLE_NAME_WORTH * (own >= _ALL)
    worth += _DEFAULT_WORTH * is_default + _NAMED_DEFAULT_WORTH * is_named
    worth -= _FURTHER_WORD_COST * len(name - asked.keys() - _DEFAULT_STEMS)
    return worth if whole >= _ALL else worth * _PARTIAL


def _share(asked: Mapping[str, float], stems: frozenset[str]) -> float:
    return sum(weight for term, weight in asked.items() if term in stems) / sum(asked.values())


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, distinct_terms(text)))
