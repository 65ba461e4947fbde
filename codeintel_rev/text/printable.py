"""Text that stands in one line and shows all of itself."""

from __future__ import annotations

from unicodedata import category

_JOINERS = frozenset("\u200c\u200d")
"""Without these some scripts, and many emoji, cannot be written."""


def is_printable(text: str) -> bool:
    """Return whether a text has no line ends, control characters or others that show nothing."""
    return text.isprintable() or all(map(_is_printable, text))


def with_escapes(text: str) -> str:
    r"""Return a text with ``\n``, ``\x1b``, ``\u202e`` and the like for what cannot be printed."""
    return "".join(c if _is_printable(c) else c.encode("unicode_escape").decode() for c in text)


def _is_printable(character: str) -> bool:
    is_space = category(character) == "Zs"  # of any width: some names hold an ideographic one
    return character.isprintable() or is_space or character in _JOINERS
