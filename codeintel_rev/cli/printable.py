"""Text that is safe to show: code and file names are foreign, and a terminal obeys escapes."""

from __future__ import annotations

from typing import Final

_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Characters that make text read in another order than a compiler reads it."""

_TAB, _LINE_END = 0x09, 0x0A
_UNSAFE: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in (_TAB, _LINE_END)},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **{code: f"\\u{code:04x}" for code in (*_BIDI, *range(0xD800, 0xE000))},
}
_UNSAFE_IN_A_LINE: Final = {**_UNSAFE, _TAB: "\u2409", _LINE_END: "\u240a"}


def printable(text: str) -> str:
    """Return ``text`` with a visible sign for each control character but tab and line end."""
    return text.replace("\r\n", "\n").translate(_UNSAFE)


def printable_line(text: str) -> str:
    """Return ``text`` as one line, with a visible sign for each control character."""
    return text.translate(_UNSAFE_IN_A_LINE)
