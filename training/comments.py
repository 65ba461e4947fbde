"""Comments within definitions with the code that they announce: training pairs like questions.

    python -m training.comments FUNCTIONS.jsonl OUT.jsonl

Rows are those of ``training.functions``, without a symbol. Comments that look like code, directives or
remarks to developers are left out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

MAX_COMMENT_LINES = 3
MAX_CODE_LINES = 10
MIN_CODE_CHARACTERS = 20
MIN_WORDS, MAX_WORDS = 3, 25

_WORD = re.compile(r"[A-Za-z]{2,}")
_NOT_PROSE = re.compile(
    r"[;={}\[\]]|\w\(|->|=>|^(TODO|FIXME|XXX|noqa|type:|pylint|pragma|eslint|NOLINT|@)",
    re.IGNORECASE,
)


def announced(language: str, body: str) -> Iterator[tuple[str, str]]:
    """Yield (comment, code): full-line comments, and the block up to a blank, comment or outer line."""
    mark = "#" if language in {"python", "ruby"} else "//"
    lines = body.split("\n")
    at = 0
    while at < len(lines):
        comment = list(takewhile(lambda line: line.lstrip().startswith(mark), lines[at:]))
        if not comment:
            at += 1
            continue
        text = " ".join(line.strip().lstrip("#/!* ") for line in comment)
        code = _block(lines[at + len(comment) :], mark, _indent(comment[0]))
        at += len(comment)
        if (
            len(comment) <= MAX_COMMENT_LINES
            and is_prose(text)
            and len(code) >= MIN_CODE_CHARACTERS
        ):
            yield text, code


def is_prose(text: str) -> bool:
    """Return whether a comment says something in words."""
    return not _NOT_PROSE.search(text) and MIN_WORDS <= len(_WORD.findall(text)) <= MAX_WORDS


def _block(lines: Sequence[str], mark: str, indent: int) -> str:
    def belongs(line: str) -> bool:
        text = line.strip()
        return bool(text) and not text.startswith(mark) and _indent(line) >= indent

    return "\n".join(takewhile(belongs, lines[:MAX_CODE_LINES]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def main() -> None:
    functions, out = map(Path, sys.argv[1:])
    seen: set[int] = set()
    with functions.open() as rows, out.open("w") as file:
        for line in rows:
            row = json.loads(line)
            for comment, code in announced(row["language"], row["body"]):
                # A class's body repeats those of its methods.
                key = hash((comment, code))
                if key not in seen:
                    seen.add(key)
                    file.write(
                        json.dumps({**row, "symbol": "", "doc": comment, "body": code}) + "\n"
                    )
    print(f"{len(seen)} comments")


if __name__ == "__main__":
    main()
