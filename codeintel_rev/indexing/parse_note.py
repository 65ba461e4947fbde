"""A note of the files that this process parses, which it leaves behind only when it dies.

Grammars are C code, and a file that one of them stumbles over can end the process. A few files are
not worth the start of a worker process, unless they are those that were noted down when a process
died: a worker parses these, and finds out which of them it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from codeintel_rev.types import FileEntry


class ParseNote:
    """The note of one repository; a context manager. Its writer lock is held meanwhile."""

    def __init__(self, path: Path) -> None:
        """Read what was left behind at ``path``."""
        self._path = path
        self._suspects: frozenset[str] = frozenset()
        with suppress(OSError):
            self._suspects = frozenset(os.fsdecode(path.read_bytes()).split("\0")) - {""}

    def __enter__(self) -> ParseNote:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and self._suspects:
            self.write(())  # what was found out about them is not stored
            return
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def divide(self, entries: Sequence[FileEntry]) -> tuple[list[FileEntry], list[FileEntry]]:
        """Return those of ``entries`` that are suspect, and the others."""
        suspects = [entry for entry in entries if entry.path in self._suspects]
        return suspects, [entry for entry in entries if entry.path not in self._suspects]

    def write(self, paths: Iterable[str]) -> None:
        """Note down that ``paths`` are being parsed, the suspects being under suspicion still."""
        noted = "\0".join(self._suspects.union(paths))
        with suppress(OSError):  # a full disk is told by whatever has to be written
            self._path.write_bytes(os.fsencode(noted))
