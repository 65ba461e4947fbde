"""Source code and queries to terms: the one tokenizer behind the word index and the embeddings.

A word is a run of letters, digits and underscores. It yields its compound spelling (parts joined,
lower case) followed by its parts, so ``getUserById`` and ``get_user_by_id`` both give
``getuserbyid get user by id``. A word of one part yields that part alone.
"""

from __future__ import annotations

import re
from itertools import chain

TOKENIZER_VERSION = 1
"""Bump when any text may yield other terms than before: indexes and the model depend on them."""

MAX_TERM_LENGTH = 64
"""Terms are cut to this many characters."""

_SLICE_LENGTH = 256
"""Longer words are split slice by slice, so that no word costs more than its length."""

_CACHE_SIZE = 1 << 16

_ASCII_WORDS = "".join(chr(c) if chr(c).isalnum() or chr(c) == "_" else " " for c in range(128))
_WORD = re.compile(r"\w+")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
# `[A-Z]{2,}s` keeps the plural of an acronym whole: URLs, APIs.
_CASE_PART = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_UNICODE_PART = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W\d_{_CJK}]+|\d+")


def tokenize(text: str) -> list[str]:
    """Return the terms of ``text`` in order, with repeats.

    Terms are lower case and at most ``MAX_TERM_LENGTH`` characters. Chinese, Japanese and Korean
    runs become overlapping pairs of characters; other scripts keep their words.
    """
    return list(chain.from_iterable(map(_terms_of_word.__getitem__, words_of(text))))


def distinct_terms(text: str) -> set[str]:
    """Return the terms of ``text``, each once."""
    words = set(words_of(text))
    return set(chain.from_iterable(map(_terms_of_word.__getitem__, words)))


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` as written, in order, with repeats."""
    return text.translate(_ASCII_WORDS).split() if text.isascii() else _WORD.findall(text)


def identifiers(text: str) -> list[str]:
    """Return the identifiers of ``text`` as written, in order, with repeats."""
    return _IDENTIFIER.findall(text)


class _TermsOfWord(dict[str, tuple[str, ...]]):
    """Memo of split words, emptied when full; long words are never kept."""

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(word) > MAX_TERM_LENGTH:
            slices = range(0, len(word), _SLICE_LENGTH)
            return tuple(
                chain.from_iterable(_split(word[start : start + _SLICE_LENGTH]) for start in slices)
            )
        if len(self) >= _CACHE_SIZE:
            self.clear()
        terms = self[word] = _split(word)
        return terms


_terms_of_word = _TermsOfWord()


def _split(word: str) -> tuple[str, ...]:
    """Return a word's compound and its parts, or the part alone."""
    if not word.isascii():
        return _split_unicode(word)
    if word[0].isdigit():
        return (word.lower().replace("_", "")[:MAX_TERM_LENGTH],)
    return _with_compound([part.lower() for part in _CASE_PART.findall(word)])


def _split_unicode(word: str) -> tuple[str, ...]:
    """Split a word with letters beyond ASCII at script, digit and underscore boundaries."""
    terms: list[str] = []
    has_cjk = False
    for match in _UNICODE_PART.finditer(word):
        run = match.group().lower()
        if match["cjk"]:
            has_cjk = True
            terms += [run[at : at + 2] for at in range(max(1, len(run) - 1))]
        else:
            terms.append(run[:MAX_TERM_LENGTH])
    return tuple(terms) if has_cjk else _with_compound(terms)


def _with_compound(parts: list[str]) -> tuple[str, ...]:
    if len(parts) > 1:
        parts.insert(0, "".join(parts))
    return tuple(part[:MAX_TERM_LENGTH] for part in parts)
