"""The tokenizer of uncased BERT models: words, then the longest known pieces of each.

The procedure is that of Devlin and others, "BERT: Pre-training of Deep Bidirectional Transformers for
Language Understanding", NAACL 2019.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

_MAX_WORD_CHARS = 100
"""A longer word is unknown as a whole."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_WORDS = re.compile(r"[!-/:-@\[-`{-~]|[^\s!-/:-@\[-`{-~]+")
"""Each ASCII mark by itself, and runs of anything else that is not white space."""


class WordPieceTokenizer:
    """Turns text into numbers of a vocabulary; safe to share between threads."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """Take the pieces in the order of their numbers, the marks of BERT among them."""
        self._ids = {piece: at for at, piece in enumerate(vocabulary)}
        self._unknown = self._ids["[UNK]"]
        self._first, self._last = self._ids["[CLS]"], self._ids["[SEP]"]
        self._pieces = lru_cache(maxsize=65_536)(self._split)

    def encode(self, text: str, limit: int) -> list[int]:
        """Return at most ``limit`` numbers, those that begin and end every text included."""
        ids = [self._first]
        for word in _words(text):
            ids += self._pieces(word)
            if len(ids) >= limit:
                break
        return [*ids[: limit - 1], self._last]

    def _split(self, word: str) -> tuple[int, ...]:
        """Return the longest known pieces of a word, from its start on."""
        if len(word) > _MAX_WORD_CHARS:
            return (self._unknown,)
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = self._ids.get(("##" if start else "") + word[start:end])
                if piece is not None:
                    break
            else:
                return (self._unknown,)
            found.append(piece)
            start = end
        return tuple(found)


def _words(text: str) -> Iterator[str]:
    """Yield the words of ``text`` in lower case, without accents."""
    for match in _WORDS.finditer(text):
        word = match[0]
        if word.isascii():
            yield "".join(filter(str.isprintable, word.lower()))
        else:
            yield from _other_words(word)


def _other_words(text: str) -> Iterator[str]:
    """Yield the words of text in any script."""
    plain = unicodedata.normalize("NFD", text.lower())
    word = ""
    for char in plain:
        category = unicodedata.category(char)
        if category == "Mn" or category.startswith("C") or char == _REPLACEMENT:
            continue
        if category.startswith("P") or _is_ideograph(char):
            yield from filter(None, (word, char))
            word = ""
        else:
            word += char
    if word:
        yield word


def _is_ideograph(char: str) -> bool:
    """Return whether a character is a word by itself, as those of Chinese are."""
    code = ord(char)
    return any(
        first <= code <= last
        for first, last in (
            (0x4E00, 0x9FFF),
            (0x3400, 0x4DBF),
            (0xF900, 0xFAFF),
            (0x20000, 0x2CEAF),
            (0x2F800, 0x2FA1F),
        )
    )
