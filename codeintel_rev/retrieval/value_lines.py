"""Lines that give a value to something, in code and in documents (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_WINDOW = 4
"""Lines before ``default=3`` that may name the option it is the default of."""

_VALUE = (
    r"(?:&?[\w.:]{1,60}!?\(\s?)?"
    r"(?:[-+]?\.?\d|[\"'`]|\[[^\[\]]{0,80}+\]|\{[^{}]{0,80}+\}|(?i:true|false|none|nil|null)\b|[A-Z][A-Z\d_]{2,}\b)"
)
_SET = re.compile(
    r"(?<![\w$.-])(?P<name>[A-Za-z_$][\w$.-]*+)[\"'`\])]{0,2}+\??"
    rf"(?:\s{{0,8}}:(?!:)\s{{0,8}}{_VALUE}"
    r"|(?P<type>\s{0,8}:(?!:)\s?[\w.<>\[\]|?& ]{1,40}?|\s[\w.]{1,30}+)?"
    rf"\s{{0,8}}(?:=(?![=>])|:=|=>)\s{{0,8}}{_VALUE})"
)
_MACRO = re.compile(rf"\s*#\s*define\s+(?P<name>\w+)\s+\(?{_VALUE}")
_CALLED = re.compile(rf"\.(?P<name>default(?:_\w+)?)\(\s?{_VALUE}")
_TOLD = re.compile(
    rf"\w\(\s?(?:\w+, ?)?[\"'](?P<name>[\w.-]{{2,60}}+)[\"'], ?(?:[^\"'()]{{0,80}}?, ?)?{_VALUE}"
)
"""``flag.Int("max-size", 100)``, ``getenv("PORT", "80")``."""

_SAID = re.compile(
    rf"\b(?:[Dd]efaults to|[Dd]efault(?: [\w-]+){{0,4}}?(?: is| are| of|:|=))\s{{1,4}}{_VALUE}"
)
_HEADED = re.compile(r"\W{0,8}defaults?(?: value)?(?: is| to)?\W{1,6}\w", re.IGNORECASE)
_EMPTY = re.compile(r"(?:=|:)\s?(?:None|nil|null|NULL)\b")
_KEYWORD = re.compile(r"[dD]efaults?(?:_?[vV]alue)?")


def valued_names(lines: Sequence[str], number: int) -> Iterator[tuple[int, str]]:
    """Yield (where it stands, its name) of each thing that a line of code gives a value to.

    What ``default=3`` is the default of may be named some lines before: all of them are its name.
    """
    for pattern in (_SET, _MACRO, _CALLED, _TOLD):
        for match in pattern.finditer(lines[number]):
            if _KEYWORD.fullmatch(match["name"]):
                first = max(number - _WINDOW, 0)
                yield first, " ".join(lines[first : number + 1])
            else:
                yield number, f"{match['name']} {match.groupdict().get('type') or ''}"


def says_default(line: str) -> bool:
    """Return whether a line says in words what a default is (``The default pager is 'less'``)."""
    return _SAID.search(line) is not None


def is_below_heading(line: str) -> bool:
    """Return whether a line tells the default of what its heading names (``Default: 4.``)."""
    return _HEADED.match(line) is not None


def is_empty(line: str) -> bool:
    """Return whether the value that a line gives is none."""
    return _EMPTY.search(line) is not None
