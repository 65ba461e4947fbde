"""Questions: what an answer has to be about, told from the text alone (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Literal, NamedTuple

from codeintel_rev.retrieval.default_values import asked_default
from codeintel_rev.retrieval.heirs import heirs_asked_for
from codeintel_rev.retrieval.query import (
    belongs,
    is_how_to,
    literals_of,
    mentions_of,
    message_runs,
    one_line,
    only_name,
    qualified_names,
    spoken,
)
from codeintel_rev.retrieval.stop_words import STOP_WORDS
from codeintel_rev.retrieval.word_forms import stem
from codeintel_rev.text.background_idf import background_idf
from codeintel_rev.text.code_tokenizer import distinct_terms, identifiers, tokenize, words_of

Aim = Literal["place", "explanation"]
"""Whether somebody wants to know where something is, or what it is and how it works."""

_PLACE = re.compile(
    r"\s*(?:where|which|whose|who|find|locate|show|list|in (?:which|what))\b|.*\bwhere\b",
    re.IGNORECASE | re.DOTALL,
)
LEAST_WORDS = 3
"""Fewer words in a row are found in any prose."""

_MAX_MESSAGE = 400
_NUMBER = re.compile(r"\b\d+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_MAX_NUMBERS = 4
_MAX_FILLED = 40
"""Characters that stand in code for a number of a message."""

_ASKING = (
    "about all also any because before after code does each file find function get happen happens"
    " implement implemented implementation list make locate mean project repository show some"
    " thing through want way work works would"
)
"""Words of questions that say nothing of what is asked for."""

_UNTOLD = STOP_WORDS | frozenset(_ASKING.split())

_KEPT_WORDS = 1 << 15


class Question(NamedTuple):
    """A question as the parts of an answer need it."""

    text: str
    aim: Aim
    weights: Mapping[str, float]
    """Stems of its telling words, and how rare each is in code at large."""
    names: frozenset[str]
    """Words that are spelled as names of code are: with inner capitals, underscores or digits, or
    with a capital where no sentence begins; those that stand beside their kind, and the only one
    that it asks for."""
    owned: tuple[str, ...]
    """Names that it gives with their owner, as ``Foo.bar``."""
    literals: tuple[str, ...]
    """Quotations, with single spaces for white space."""
    runs: tuple[str, ...]
    """Runs of words to look for: of what may be a printed message, or the whole text."""
    template: tuple[str, ...] = ()
    """What stands between the numbers of a message, where code has ``%d`` or ``{count}``."""
    only_name: str = ""
    """The last part of the name that it asks for, if it asks for nothing else."""
    heirs_of: str | None = None
    """The type of which it asks what extends or implements it."""
    is_how_to: bool = False
    """Whether it asks how to do something, which documents tell."""
    default_of: Mapping[str, float] = {}
    """What it asks the default of: stems of words, and how rare each is in code at large."""

    @property
    def terms(self) -> frozenset[str]:
        """Stems of its telling words."""
        return frozenset(self.weights)

    def share_in(self, stems: Collection[str]) -> float:
        """Return how much of the question these stems hold, from 0 to 1, rare words weighing most."""
        total = sum(self.weights.values())
        return sum(self.weights[stem] for stem in self.weights if stem in stems) / (total or 1.0)

    def asks_for(self, name: str, symbol: str, uri: str) -> bool:
        """Return whether it gives a name with its owner, and code of that symbol and file is of it."""
        owned = (given.rpartition(".") for given in self.owned)
        return any(own == name and belongs(owner, symbol, uri) for owner, _, own in owned)

    def is_quoted_in(self, text: str) -> bool:
        """Return whether the text holds what the question quotes."""
        line = one_line(text)
        if self.template and _is_filled_from(line, self.template):
            return True
        if self.literals:
            return any(literal in line for literal in self.literals)
        said = spoken(text)
        return any(run in said for run in self.runs)


@lru_cache(maxsize=64)
def question_of(text: str) -> Question:
    """Return what a question asks for; the steps of one answer share it."""
    literals = literals_of(text)
    return Question(
        text=text,
        aim="place" if _PLACE.match(text) else "explanation",
        weights=_weights(text),
        names=_names(text),
        owned=tuple(qualified_names(text)),
        literals=literals,
        runs=() if literals else message_runs(text) or _whole(text),
        template=_template(text),
        only_name=_last_part(only_name(text, mentions_of(text))),
        heirs_of=heirs_asked_for(text),
        is_how_to=is_how_to(text),
        default_of={} if literals else asked_default(text),
    )


@lru_cache(maxsize=256)
def stems_of(text: str) -> frozenset[str]:
    """Return the telling words of a text without their endings.

    An answer asks this of the same snippets several times: as evidence, and as what it lists.
    """
    return frozenset(chain.from_iterable(map(_stems_of_word.__getitem__, set(words_of(text)))))


class _StemsOfWord(dict[str, tuple[str, ...]]):
    """Memo of the telling stems of words as written, emptied when full."""

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) >= _KEPT_WORDS:
            self.clear()
        stems = self[word] = tuple(map(stem, distinct_terms(word) - _UNTOLD))
        return stems


_stems_of_word = _StemsOfWord()


def _names(text: str) -> frozenset[str]:
    words = identifiers(text)
    telling = [w for w in words if re.search(r"[_\d]|[a-z][A-Z]|[A-Z][A-Z]+[a-z]", w)]
    capital = (w for w in words[1:] or words if w[:1].isupper())
    mentions = mentions_of(text)
    asked = only_name(text, mentions) or ""
    return frozenset([*telling, *capital, *identifiers(asked), *(m.name for m in mentions)])


def _last_part(name: str | None) -> str:
    return identifiers(name)[-1] if name else ""


def _whole(text: str) -> tuple[str, ...]:
    """Return all words of a text that is long enough to stand nowhere by chance."""
    said = spoken(text)
    return (said,) if len(said.split()) >= LEAST_WORDS else ()


def _template(text: str) -> tuple[str, ...]:
    """Return what stands between the numbers of a message; nothing for what is none."""
    line = one_line(text)
    pieces = _NUMBER.split(line)
    is_message = len(_WORD.findall(" ".join(pieces))) >= LEAST_WORDS
    if not is_message or not 2 <= len(pieces) <= _MAX_NUMBERS + 1 or len(line) > _MAX_MESSAGE:
        return ()
    return tuple(piece for piece in pieces if piece)


def _is_filled_from(line: str, pieces: tuple[str, ...]) -> bool:
    """Return whether the pieces follow each other with one word at most between them.

    No regular expression: of a hostile question it would take for ever.
    """
    first, *rest = pieces
    at = line.find(first)
    while at >= 0:
        if _goes_on(line, at + len(first), rest):
            return True
        at = line.find(first, at + 1)
    return False


def _goes_on(line: str, at: int, pieces: Sequence[str]) -> bool:
    for piece in pieces:
        found = line.find(piece, at + 1, at + _MAX_FILLED + len(piece))
        if found < 0 or " " in line[at:found]:
            return False
        at = found + len(piece)
    return True


def _weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for term in tokenize(text):
        if term not in _UNTOLD:
            weights[stem(term)] = max(background_idf(term), weights.get(stem(term), 0.0))
    return weights
