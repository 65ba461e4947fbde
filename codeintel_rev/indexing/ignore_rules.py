"""The rules of ``.codeintelignore`` files: gitignore syntax, at any level of a tree."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from codeintel_rev.io.work_tree import IGNORE_FILE
from codeintel_rev.text.globs import Rule, compile_ignore_lines, decide

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAX_BYTES = 64 * 1024


def rules_on_disk(root: Path) -> IgnoreRules:
    """Return the rules of the folder ``root``."""
    return IgnoreRules(lambda path: split_lines(_read(f"{root}/{path}")))


def split_lines(data: bytes) -> list[str]:
    """Return the lines of an ignore file."""
    return data[:_MAX_BYTES].decode("utf-8", "surrogateescape").splitlines()


class IgnoreRules:
    """The rules of one tree, read folder by folder as the folders are entered."""

    def __init__(self, read_lines: Callable[[str], list[str]]) -> None:
        """Take what returns the lines of the ignore file at a path relative to the root."""
        self._read_lines = read_lines
        self._rules: dict[str, list[Rule]] = {}

    def enter(self, folder: str) -> None:
        """Read the rules of ``folder`` (relative, empty for the root), if it has any."""
        lines = self._read_lines(f"{folder}/{IGNORE_FILE}" if folder else IGNORE_FILE)
        if lines:
            self._rules[folder] = compile_ignore_lines(lines)

    def ignores(self, path: str) -> bool:
        """Return whether ``path`` is left out; a folder's path ends in a slash.

        The deepest file with a rule for it decides, and in that file the last rule. As in git,
        nothing inside an ignored folder can be taken back, so ask for the folders first.
        """
        if not self._rules:
            return False
        folder = path.rstrip("/")
        while folder:
            folder = folder.rpartition("/")[0]
            rules = self._rules.get(folder)
            if rules:
                inner = path[len(folder) + 1 :] if folder else path
                verdict = decide(rules, inner)
                if verdict is not None:
                    return verdict
        return False


def _read(path: str) -> bytes:
    """Read a regular file without following a link or waiting for a pipe; else nothing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return b""
        return file.read(_MAX_BYTES)
