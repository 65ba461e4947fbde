"""A short description of a work tree that tells which of its files may have changed since.

Git vouches for a file that it tracks and finds unchanged by its index. So as long as the index is
the same file, only paths that git did not vouch for, then or now, can differ. Asking costs two git
processes beside whatever else is going on, instead of a ``stat`` of every file.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codeintel_rev.io.git_process import TIMEOUT_S, split_paths, stop

if TYPE_CHECKING:
    from pathlib import Path

    from codeintel_rev.io.git import GitRepo

_CHECKSUM_BYTES = 20
IGNORE_FILE = ".codeintelignore"


@dataclass(frozen=True, slots=True)
class WorkTreeState:
    """What git says about a folder of a work tree at one moment."""

    stamp: str
    """Identity of the index file, and of the root's ignore file, which git may not list."""
    unsettled: frozenset[str]
    """Paths that differ from the index or that it does not hold, relative to the folder."""
    staged: frozenset[str] = frozenset()
    """Paths at which the index differs from the commit ``base``."""
    base: str | None = None

    @property
    def uncommitted(self) -> frozenset[str]:
        """Paths of which ``base`` does not hold what the work tree does."""
        return self.unsettled | self.staged

    def suspects_since(self, earlier: WorkTreeState) -> frozenset[str] | None:
        """Return the paths that may differ from ``earlier``; ``None`` when any may."""
        if self.stamp != earlier.stamp:
            return None
        paths = self.unsettled | earlier.unsettled
        return None if any(path.endswith(f"/{IGNORE_FILE}") for path in paths) else paths


@dataclass(slots=True)
class StateProbe:
    """Git at work on a ``WorkTreeState``."""

    repo: GitRepo
    folder: Path
    stamp: str
    modified: subprocess.Popen[bytes]
    others: subprocess.Popen[bytes]

    def result(self, timeout_s: float = TIMEOUT_S) -> WorkTreeState | None:
        """Wait for the state; ``None`` when git failed or the index changed meanwhile."""
        paths: set[str] = set()
        for process in (self.modified, self.others):
            try:
                output, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                self.cancel()
                return None
            paths.update(self.repo.relative(split_paths(output), self.folder))
        if self.modified.returncode or self.others.returncode:
            return None
        same = self.stamp == _stamp(self.repo, self.folder)
        return WorkTreeState(self.stamp, frozenset(paths)) if same else None

    def cancel(self) -> None:
        """Stop git; the state is not wanted."""
        for process in (self.modified, self.others):
            stop(process)


def start_probe(repo: GitRepo, folder: Path) -> StateProbe | None:
    """Start finding the state of ``folder``, which lies in the work tree; returns at once.

    ``None`` where git cannot be asked: its comparison could run a program of the repository's
    choosing, or the folder is one that git ignores.
    """
    if repo.names_filters():
        return None
    stamp = _stamp(repo, folder)
    where = repo.below(folder)
    modified = repo.start("diff-files", "-z", "--name-only", "--ignore-submodules=all", *where)
    others = repo.start("ls-files", "-z", "--others", "--exclude-standard", *where)
    return StateProbe(repo, folder, stamp, modified, others)


def _stamp(repo: GitRepo, folder: Path) -> str:
    index = repo.git_dir / "index"
    return f"{_identity(index)} {_checksum(index)} {_identity(folder / IGNORE_FILE)}"


def _identity(path: Path) -> str:
    try:
        found = path.lstat()
    except OSError as error:
        return f"none:{error.errno}"
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


def _checksum(index: Path) -> str:
    """Return the checksum that ends an index file: it differs where the clock was too coarse."""
    if not index.is_file():
        return ""
    try:
        with index.open("rb") as file:
            file.seek(-_CHECKSUM_BYTES, os.SEEK_END)
            return file.read(_CHECKSUM_BYTES).hex()
    except OSError:
        return ""
