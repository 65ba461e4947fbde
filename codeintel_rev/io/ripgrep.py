"""Which files may hold a match, told by ripgrep where it is installed.

It only narrows: what matches is decided by the scan that all searches share. So it is asked only for
patterns of which every match in a text of the index is one in the bytes of its file, whatever their
encoding, and an answer that it cannot give whole is none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from codeintel_rev.types import LinePattern

_BATCH_BYTES: Final = 100_000
"""What one command line holds of paths: far below every system's limit."""

_ALIKE: Final = re.compile(
    r"""(?:
        [^\\\[\](){}$]                     # itself, any character, repetition, or an alternative
      | \{[0-9]{1,3}(?:,[0-9]{0,3})?\}     # repetition
      | \\[dws]                            # wider there than here
      | \\[^\w<>\s]                        # a sign that stands for itself
      | \[[^\\\[\]&~^-](?:-?[^\\\[\]&~-])*\]    # one of these
      | \[\^[^\\\[\]&~-](?:-?[^\\\[\]&~-])*\] # none of these
      | \((?:\?:|(?!\?))                   # a group
      | \)
    )*""",
    re.VERBOSE,
)
"""What matches at least as much there as here. Not ``$`` and word boundaries: files have white space,
carriage returns and letters where the index or RE2 see none."""


@cache
def program() -> str | None:
    """Return where ripgrep is; a relative entry of PATH would find one that a repository holds."""
    places = filter(os.path.isabs, os.environ.get("PATH", os.defpath).split(os.pathsep))
    return shutil.which("rg", path=os.pathsep.join(places))


def is_installed() -> bool:
    """Return whether there is a ripgrep."""
    return program() is not None


def can_narrow(pattern: LinePattern) -> bool:
    """Return whether every match of a pattern is found in files as they are (pure).

    Beyond ASCII a character has other bytes in other encodings.
    """
    if not pattern.text.isascii():
        return False
    return not pattern.regex or _ALIKE.fullmatch(pattern.text) is not None


def files_with(
    root: Path, paths: Sequence[str], pattern: LinePattern, timeout_s: float
) -> set[str] | None:
    """Return those of ``paths``, relative to ``root``, that may hold a match.

    ``None`` when that cannot be told: a file cannot be read, the pattern means nothing to ripgrep,
    or the time is up.
    """
    # once as text and once as bytes: a file that is no UTF-8 has characters of one byte
    text = f"(?:{pattern.text})|(?-u:{pattern.text})" if pattern.regex else pattern.text
    where = program()
    if where is None:
        return None
    command = [
        *(where, "--no-config", "--no-messages", "--files-with-matches", "--null", "--text"),
        "--ignore-case" if pattern.ignore_case else "--case-sensitive",
        *(() if pattern.regex else ("--fixed-strings",)),
        *("--regexp", text, "--"),
    ]
    found: set[str] = set()
    deadline = time.monotonic() + timeout_s
    for batch in _batches(paths):
        try:
            ran = subprocess.run(
                [*command, *(f"./{path}" for path in batch)],
                cwd=root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=deadline - time.monotonic(),
                check=False,
            )
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return None
        if ran.returncode not in (0, 1):
            return None
        found.update(os.fsdecode(name)[2:] for name in ran.stdout.split(b"\0") if name)
    return found


def _batches(paths: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for path in paths:
        batch.append(path)
        size += len(os.fsencode(path)) + 3
        if size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
