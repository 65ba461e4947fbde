"""Shared locks that keep an index generation's files from being deleted while they are in use."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class GenerationLock:
    """A reader's hold on one generation; the kernel drops it when the reader dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def share(cls, path: Path) -> GenerationLock | None:
        """Return a hold on the generation of the lock file ``path``; ``None`` when it is gone."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            # unlinked between our open and our lock: its files are gone
            if os.fstat(descriptor).st_nlink:
                return cls(descriptor)
        except BlockingIOError:
            pass  # it is being deleted
        os.close(descriptor)
        return None

    def close(self) -> None:
        """Let go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


class DeletionLock:
    """The sole hold on a generation that nobody reads; its lock file goes with it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> DeletionLock | None:
        """Return the sole hold, or ``None`` while somebody reads the generation."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def close(self) -> None:
        """Remove the lock file and let go."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
