"""Inflected forms of English words, by rule alone (pure)."""

from __future__ import annotations

from functools import lru_cache

_LEAST = 4
"""Shorter words are taken as they are: too many of them are names of something else."""

_VOWELS = frozenset("aeiouy")
_ENDINGS = ("", "e", "s", "es", "ed", "ing")


@lru_cache(maxsize=1 << 16)
def stem(term: str) -> str:
    """Return what the inflected forms of ``term`` share: ``caches``, ``caching``: ``cach``.

    It need not be a word, and words that are no English words keep most of their letters.
    """
    if not _is_word(term):
        return term
    word = _without_ending(_singular(term))
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@lru_cache(maxsize=1 << 14)
def inflections(term: str) -> tuple[str, ...]:
    """Return the other forms that ``term`` may take, most of which are no words."""
    if not _is_word(term):
        return ()
    root = stem(term)
    forms = {root + ending for ending in _ENDINGS}
    if root.endswith("y"):
        forms |= {f"{root[:-1]}ies", f"{root[:-1]}ied"}
    elif root[-1] not in _VOWELS:
        forms |= {f"{root}{root[-1]}ed", f"{root}{root[-1]}ing"}
    return tuple(sorted(forms - {term}))


def _is_word(term: str) -> bool:
    return len(term) >= _LEAST and term.isalpha() and term.isascii()


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_ending(word: str) -> str:
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and not _VOWELS.isdisjoint(root):
            doubled = root[-1] == root[-2] and root[-1] not in "lsz"
            return root[:-1] if doubled else root
    return word
