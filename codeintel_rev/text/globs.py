"""The one glob engine: gitignore patterns over repository-relative paths.

``*.py`` and ``tests`` match at any depth, ``src/*.c`` and ``./setup.py`` only from the root;
``src/`` is the folder only, ``**`` any number of folders. A pattern that matches a folder matches
all that lies in it. Within one list the last pattern that matches decides, so ``!src/gen/`` after
``src/`` takes the generated files out again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codeintel_rev.errors import BadGlob
from codeintel_rev.text.glob_syntax import ANY, ANY_DEPTH, STAR, Token, parse, to_regex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_PATTERN_CHARS = 1_000
MAX_PATTERNS = 100
_BRACES = re.compile(r"(?<!\\)\{[^{}]*,[^{}]*\}")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_TOO_LONG = f"is longer than {MAX_PATTERN_CHARS} characters"
_RELATIVE = "write it relative to the repository's root, as in 'src/**' or './setup.py'"
_LIKE_SPECIAL = frozenset("%_\\")

Rule = tuple[re.Pattern[str], bool]
"""A compiled pattern, and whether it takes in (``True``) or, negated, takes out."""


class GlobSet:
    """Includes and excludes of a scope, compiled once; immutable and safe to share.

    A path is in when an include matches (or there are none) and no exclude does.

    Raises:
        BadGlob: a pattern cannot be read; names the pattern.
    """

    __slots__ = ("_exclude", "_include")

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._include = _compile(include)
        self._exclude = _compile(exclude)

    def match(self, path: str) -> bool:
        """Return whether the file at ``path`` (relative, ``/`` between its parts) is in."""
        return (not self._include or _last_match(self._include, path)) and not _last_match(
            self._exclude, path
        )

    def match_many(self, paths: Iterable[str]) -> list[bool]:
        """Return ``match`` of each path, in order."""
        return [self.match(path) for path in paths]


def like_prefilter(pattern: str) -> str | None:
    r"""Return a SQL LIKE pattern (``ESCAPE '\'``) that accepts at least what ``pattern`` matches.

    ``None`` when no such pattern narrows anything: negated patterns. ``src/**`` gives ``src/%``,
    ``tests`` gives ``%tests%``; ``*.py`` gives ``%.py%``, because a folder may be named so too.

    Raises:
        BadGlob: the pattern cannot be read.
    """
    positive, body = _split_negation(pattern)
    if not positive:
        return None
    try:
        glob = parse(body)
    except ValueError as error:
        raise _unreadable(pattern, str(error)) from None
    like = ""
    for index, segment in enumerate(glob.segments):
        if segment is ANY_DEPTH:
            like += "%"
            continue
        if index and glob.segments[index - 1] is not ANY_DEPTH:
            like += "/"
        like += "".join(map(_like_token, segment))
        if index + 1 < len(glob.segments) and glob.segments[index + 1] is ANY_DEPTH:
            like += "/"
    return re.sub(r"(?<!\\)%{2,}", "%", f"{like}{'/' if glob.folder_only else ''}%")


def like_subset(pattern: str) -> str | None:
    r"""Return a SQL LIKE pattern (``ESCAPE '\'``) that accepts nothing but what ``pattern`` matches.

    ``None`` unless the pattern is a path from the root without wildcards, which LIKE can say as well:
    ``tests/**`` and ``tests/unit/`` give ``tests/%`` and ``tests/unit/%``.

    Raises:
        BadGlob: the pattern cannot be read.
    """
    positive, body = _split_negation(pattern)
    like = like_prefilter(pattern)
    if not positive or like is None or "/" not in body.removesuffix("/"):
        return None
    path = like.removesuffix("%")
    wild = re.sub(r"\\.", "", path)
    return like if path.endswith("/") and not set(wild) & {"%", "_"} else None


def compile_ignore_lines(lines: Iterable[str]) -> list[Rule]:
    """Compile the lines of an ignore file; comments, blank and unreadable lines are dropped."""
    rules = []
    for line in lines:
        pattern = line.rstrip("\r\n")
        if not pattern.strip() or pattern.startswith("#"):
            continue
        try:
            rules.append(_compile_one(pattern))
        except ValueError:
            continue
    return rules


def decide(rules: Sequence[Rule], path: str) -> bool | None:
    """Return what the last rule that matches says (``False`` for a negated one), else ``None``."""
    for regex, positive in reversed(rules):
        if regex.fullmatch(path):
            return positive
    return None


def _last_match(rules: Sequence[Rule], path: str) -> bool:
    return decide(rules, path) is True


def _compile(patterns: Sequence[str]) -> list[Rule]:
    if len(patterns) > MAX_PATTERNS:
        raise BadGlob(
            f"{len(patterns)} glob patterns were given, at most {MAX_PATTERNS} are accepted",
            hint="name folders instead of single files",
            value=str(len(patterns)),
        )
    if patterns and patterns[0].startswith("!"):
        raise BadGlob(
            f"the glob '{_shown(patterns[0])}' is negated but follows no pattern to take from",
            hint="move it to the opposite list (include or exclude), or escape it as '\\!'",
            value=patterns[0],
        )
    return [_compile_checked(pattern) for pattern in patterns]


def _compile_checked(pattern: str) -> Rule:
    problem = _problem(pattern)
    if problem:
        raise BadGlob(
            f"the glob '{_shown(pattern)}' {problem[0]}", hint=problem[1], value=pattern[:200]
        )
    try:
        return _compile_one(pattern)
    except ValueError as error:
        raise _unreadable(pattern, str(error)) from None


def _problem(pattern: str) -> tuple[str, str] | None:
    """Return what is wrong with a pattern and the way out, before its syntax is looked at."""
    body = pattern.removeprefix("!")
    absolute = body.startswith(("/", "~/")) or _DRIVE.match(body)
    checks: tuple[tuple[object, str, str], ...] = (
        (not body.strip(), "is empty", "leave it out, or write '**' for all files"),
        (len(pattern) > MAX_PATTERN_CHARS, _TOO_LONG, "name a folder above the files"),
        ("\0" in pattern, "holds a NUL character", "remove it"),
        (absolute, "is an absolute path", _RELATIVE),
        (".." in body.split("/"), "leaves the repository by '..'", _RELATIVE),
        (body.startswith("#"), "is a comment in gitignore syntax", "write it as '\\#...'"),
        (_BRACES.search(body), "uses braces", "give one pattern for each alternative"),
    )
    return next(((what, way_out) for wrong, what, way_out in checks if wrong), None)


def _compile_one(pattern: str) -> Rule:
    positive, body = _split_negation(pattern)
    return re.compile(to_regex(parse(body))), positive


def _split_negation(pattern: str) -> tuple[bool, str]:
    positive = not pattern.startswith("!")
    body = pattern if positive else pattern[1:]
    if not body.endswith("\\ "):
        body = body.rstrip()
    # A leading "./" anchors the pattern, as a leading slash does in an ignore file.
    return positive, body[1:] if body.startswith("./") else body


def _like_token(token: Token) -> str:
    if token is STAR:
        return "%"
    if token is ANY or token.kind == "set":
        return "_"
    return f"\\{token.text}" if token.text in _LIKE_SPECIAL else token.text


def _unreadable(pattern: str, why: str) -> BadGlob:
    return BadGlob(
        f"the glob '{_shown(pattern)}' cannot be read: {why}",
        hint="escape special characters with a backslash",
        value=pattern[:200],
    )


def _shown(pattern: str) -> str:
    text = pattern if len(pattern) <= 60 else f"{pattern[:57]}..."
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
