"""Names of code that a query says in words: ``pool timeout`` for ``POOL_TIMEOUT`` (pure)."""

from __future__ import annotations

from itertools import chain

from codeintel_rev.retrieval.stop_words import FRAME_WORDS
from codeintel_rev.text.code_tokenizer import words_of

_LEAST_WORDS, _MOST_WORDS = 2, 5
_MOST_READ = 40
"""Words of a text of which some may be a name; a longer one is none."""

VALUE_WORDS = frozenset(["option", "parameter", "setting", "settings", "value", "values"])
"""What a default is the default of; no part of the name that is meant."""

DEFAULT_WORDS = frozenset(["default", "defaults"])


def spelled_names(text: str) -> tuple[str, ...]:
    """Return how a name is written whose words are what the query tells, in their order.

    Those are its telling words, these with what stands between them, or all of its words. Names are
    looked up without regard to case, so that each is told with underscores, without, and as private.
    """
    words = [word.lower() for word in words_of(text)]
    told = told_words(text)
    if len(words) > _MOST_READ or len(told) < 1 or any("_" in word for word in words):
        return ()
    last = len(words) - words[::-1].index(told[-1])
    runs = (told, words[words.index(told[0]) : last], words)
    fitting = (tuple(run) for run in runs if _LEAST_WORDS <= len(run) <= _MOST_WORDS)
    return tuple(chain.from_iterable(map(_spellings, dict.fromkeys(fitting))))


def _spellings(words: tuple[str, ...]) -> tuple[str, ...]:
    parted, joined = "_".join(words), "".join(words)
    return parted, joined, f"_{parted}", f"_{joined}"


def told_words(text: str) -> list[str]:
    """Return the words of a query that tell what it asks for, in lower case."""
    told = [word for word in map(str.lower, words_of(text)) if word not in FRAME_WORDS]
    if DEFAULT_WORDS.isdisjoint(told):
        return told
    return [word for word in told if word not in VALUE_WORDS]
