"""The top keys of JSON and YAML and the tables of TOML, by one scan over the lines.

A key is a heading when its value is a block. Keys of one line follow each other under a heading
without a title, since a name such as ``version`` tells nothing about where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from codeintel_rev.indexing.headings import Heading, heading_title

_JSON_KEY: Final = re.compile(r"""([ \t]*)"((?:[^"\\]|\\.)+)"[ \t]*:(.*)""")
_YAML_KEY: Final = re.compile(
    r"""(?P<quote>["']?)(?P<key>[^\s#"'\-\[\]{},&*!|>%@`][^#"'\n]*?)(?P=quote)(?<![ \t])[ \t]*+:"""
    r"(?P<value>[ \t].*|)$"
)
_TABLE: Final = re.compile(r"\[\[?([^\[\]]+)\]\]?[ \t]*(?:[#;].*)?$")
_BLOCK_VALUE: Final = re.compile(r"[ \t]*+(?:[|>&!].*|.*[\[{])?[ \t]*+(?:(?:#|//).*)?$")
_LEADS: Final = ("#", "//", "---", ";")
"""What lines above a key start with that belong to it."""


def json_keys(rows: Sequence[str]) -> Iterator[Heading]:
    """Yield the keys of an object, by the indentation of its first one."""
    if not next((row for row in rows if row.strip()), "").lstrip().startswith("{"):
        return
    top = None
    found = []
    for row, line in enumerate(rows):
        match = _JSON_KEY.match(line)
        if match is None or (top is not None and match[1] != top):
            continue
        top = match[1]
        found.append((row, match[2], match[3]))
    yield from _headings(rows, found)


def yaml_keys(rows: Sequence[str]) -> Iterator[Heading]:
    """Yield the keys of the top mapping of each document."""
    matches = ((row, _YAML_KEY.match(line.rstrip())) for row, line in enumerate(rows))
    found = ((row, match["key"], match["value"]) for row, match in matches if match)
    yield from _headings(rows, found)


def tables(rows: Sequence[str]) -> Iterator[Heading]:
    """Yield the ``[table]`` lines of TOML and of INI files."""
    last = -1
    for row, line in enumerate(rows):
        if match := _TABLE.match(line.rstrip()):
            yield Heading(_start(rows, row, last), row, 1, heading_title(match[1]))
            last = row


def _headings(rows: Sequence[str], found: Iterable[tuple[int, str, str]]) -> Iterator[Heading]:
    """Yield a heading a block, and one a run of keys of one line; ``found`` is row, key, value."""
    in_run = False
    last = -1
    for row, key, value in found:
        is_block = _BLOCK_VALUE.match(value) is not None
        if is_block or not in_run:
            yield Heading(_start(rows, row, last), row, 1, heading_title(key) if is_block else "")
        in_run = not is_block
        last = row


def _start(rows: Sequence[str], row: int, last: int) -> int:
    """Return the first row, after ``last``, of the comments that stand right above ``row``."""
    while row > last + 1 and rows[row - 1].lstrip().startswith(_LEADS):
        row -= 1
    return row
