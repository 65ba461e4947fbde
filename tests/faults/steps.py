"""Counts the steps by which a process changes the disk, and ends the process at one of them.

Every SQL statement that writes, every system call that creates, fills, moves or removes a file, and
every call of the lexical writer is two steps: one before it and one after. What a new part of the
program writes is thereby counted without being named here.
"""

from __future__ import annotations

import fcntl
import functools
import importlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

SYSTEM_CALLS: tuple[tuple[Any, str], ...] = (
    (os, "pwrite"),
    (os, "fdatasync"),
    (os, "fsync"),
    (os, "replace"),
    (os, "rename"),
    (os, "link"),
    (os, "unlink"),
    (os, "mkdir"),
    (os, "rmdir"),
    (os, "ftruncate"),
    (shutil, "rmtree"),
    (fcntl, "flock"),
)
METHODS = {
    "codeintel_rev.retrieval.tantivy_writer:TantivyWriter": ("__init__", "add", "commit", "close"),
}
"""Classes whose methods write without a system call of Python's own."""

_READING = ("SELECT", "PRAGMA", "EXPLAIN", "ATTACH", "DETACH")


class Steps:
    """The steps of this process so far."""

    def __init__(self, end_at: int | None) -> None:
        self._end_at = end_at
        self.names: list[str] = []

    def take(self, name: str) -> None:
        """Count one step; the process dies here when it is the one that was chosen."""
        self.names.append(name)
        if self._end_at is not None and len(self.names) > self._end_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``call`` as two steps."""

        @functools.wraps(call)
        def stepping(*args: Any, **options: Any) -> Any:
            self.take(f"before {name}")
            result = call(*args, **options)
            self.take(f"after {name}")
            return result

        return stepping

    def install(self) -> None:
        """Count what this process does from now on."""
        for module, name in SYSTEM_CALLS:
            setattr(module, name, self.wrapped(f"{module.__name__}.{name}", getattr(module, name)))
        for place, names in METHODS.items():
            module_name, _, class_name = place.partition(":")
            owner = getattr(importlib.import_module(module_name), class_name)
            for name in names:
                setattr(owner, name, self.wrapped(f"{class_name}.{name}", getattr(owner, name)))
        sqlite3.connect = functools.partial(sqlite3.connect, factory=self._connection_class())

    def _connection_class(self) -> type[sqlite3.Connection]:
        take = self.take

        class Stepping(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
                if sql.lstrip().upper().startswith(_READING):
                    return super().execute(sql, *rest)
                name = f"sql {' '.join(sql.split()[:3])}"
                take(f"before {name}")
                cursor = super().execute(sql, *rest)
                take(f"after {name}")
                return cursor

            def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
                name = f"sql {' '.join(sql.split()[:3])}"
                take(f"before {name}")
                cursor = super().executemany(sql, rows)
                take(f"after {name}")
                return cursor

        return Stepping
