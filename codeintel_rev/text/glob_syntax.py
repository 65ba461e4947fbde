"""Reads one gitignore pattern into segments of tokens, and renders it as a regular expression.

The expression cannot backtrack into exponential or high polynomial time: a run between two stars
is taken at its leftmost place inside an atomic group, which loses no match because the star after
it accepts everything that a later place would leave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One element of a segment: ``literal`` (a character), ``set`` (a class), ``any`` or ``star``."""

    kind: str
    text: str = ""
    """The character of a literal, the regular expression of a set."""


STAR = Token("star")
ANY = Token("any")
Segment = tuple[Token, ...]
ANY_DEPTH: Segment = (STAR, STAR)
"""The segment ``**``: any number of folders, none included."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern as gitignore reads it."""

    segments: tuple[Segment, ...]
    """Neither the first pair nor any other pair are both ``**``; the last is never ``**``."""
    folder_only: bool
    """Whether a final slash restricts the pattern to folders and what lies in them."""


def parse(pattern: str) -> Glob:
    """Read ``pattern`` without its leading ``!``.

    A pattern without an inner or leading slash matches at any depth. ``a/**`` is read as
    ``a/**/*``: all that lies below ``a``, not ``a`` itself.

    Raises:
        ValueError: the pattern has no meaning; the text says why.
    """
    folder_only = pattern.endswith("/")
    body = pattern.removesuffix("/")
    parts = body.removeprefix("/").split("/")
    if not all(parts):
        raise ValueError("it has an empty path segment")
    if "/" not in body:
        parts.insert(0, "**")
    if parts[-1] == "**":
        parts.append("*")
    segments = [ANY_DEPTH if part == "**" else _parse_segment(part) for part in parts]
    kept = [
        segment
        for index, segment in enumerate(segments)
        if index == 0 or segment is not ANY_DEPTH or segments[index - 1] is not ANY_DEPTH
    ]
    return Glob(tuple(kept), folder_only)


def to_regex(glob: Glob) -> str:
    """Render ``glob`` for ``re.fullmatch`` on a path; a folder's path ends in a slash.

    What lies below a matching folder matches too.
    """
    groups: list[list[str]] = [[]]
    floating = [False]
    for segment in glob.segments:
        if segment is ANY_DEPTH:
            groups.append([])
            floating.append(True)
        else:
            groups[-1].append(_segment_regex(segment))
    parts = []
    for group, floats in zip(groups[:-1], floating[:-1], strict=True):
        fixed = "".join(f"{segment}/" for segment in group)
        parts.append(f"(?>(?:[^/]+/)*?{fixed})" if floats else fixed)
    lead = "(?:[^/]+/)*?" if floating[-1] else ""
    tail = "/.*" if glob.folder_only else "(?:/.*)?"
    return f"(?s:{''.join(parts)}{lead}{'/'.join(groups[-1])}{tail})"


def _parse_segment(text: str) -> Segment:
    tokens: list[Token] = []
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char == "\\":
            if index == len(text):
                raise ValueError("it ends in a backslash that escapes nothing")
            tokens.append(Token("literal", text[index]))
            index += 1
        elif char == "*":
            if not tokens or tokens[-1] is not STAR:
                tokens.append(STAR)
        elif char == "?":
            tokens.append(ANY)
        elif char == "[":
            token, index = _parse_set(text, index)
            tokens.append(token)
        else:
            tokens.append(Token("literal", char))
    return tuple(tokens)


def _parse_set(text: str, index: int) -> tuple[Token, int]:
    """Read a bracket expression whose ``[`` stands before ``index``; return it and what follows."""
    negated = text[index : index + 1] in {"!", "^"}
    index += negated
    items: list[str] = []
    first = True
    while text[index : index + 1] != "]" or first:
        first = False
        named = re.compile(r"\[:(\w+):\]").match(text, index)
        if named:
            if named[1] not in _POSIX_CLASSES:
                raise ValueError(f"it names an unknown character class '{named[1]}'")
            items.append(_POSIX_CLASSES[named[1]])
            index = named.end()
            continue
        low, index = _set_character(text, index)
        if text[index : index + 1] == "-" and text[index + 1 : index + 2] not in {"", "]"}:
            high, index = _set_character(text, index + 1)
            if low > high:
                raise ValueError(f"its range '{low}-{high}' runs backwards")
            items.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            items.append(re.escape(low))
    return Token("set", f"(?!/)[{'^' if negated else ''}{''.join(items)}]"), index + 1


def _set_character(text: str, index: int) -> tuple[str, int]:
    if text[index : index + 1] == "\\":
        index += 1
    if index >= len(text):
        raise ValueError("its '[' is never closed")
    return text[index], index + 1


def _segment_regex(segment: Segment) -> str:
    if segment == (STAR,):
        return "[^/]+"
    runs: list[list[str]] = [[]]
    for token in segment:
        if token is STAR:
            runs.append([])
        else:
            runs[-1].append(_token_regex(token))
    first, *rest = ["".join(run) for run in runs]
    if not rest:
        return first
    middle = "".join(f"(?>[^/]*?{run})" for run in rest[:-1])
    return f"{first}{middle}[^/]*{rest[-1]}"


def _token_regex(token: Token) -> str:
    if token is ANY:
        return "[^/]"
    return token.text if token.kind == "set" else re.escape(token.text)
