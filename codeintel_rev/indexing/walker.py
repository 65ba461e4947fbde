"""Finds the files of a folder that are worth indexing, and says why it left out the others.

Inside a git work tree git lists the files, so that its ignore rules are its own business; any
other folder is scanned. Either way each path is looked at without following links, so nothing
outside the root is ever reported.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from codeintel_rev.indexing.file_source import entry_of
from codeintel_rev.indexing.ignore_rules import rules_on_disk
from codeintel_rev.indexing.skip_rules import (
    DEFAULT_MAX_BYTES,
    FOLDER_MARKS,
    skip_by_path,
    skip_folder,
)
from codeintel_rev.io.work_tree import WorkTreeState, start_probe
from codeintel_rev.text.printable import is_printable, with_escapes
from codeintel_rev.types import FileEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from codeintel_rev.io.git import GitRepo

NEVER_ENTERED = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "CVS", ".codeintel"})
"""What version control and this program keep: not part of any tree, so not counted either."""

_OF_AN_INDEX = ("registry.sqlite", "repos")
"""What this program keeps where it was told to."""


class Skipped(NamedTuple):
    """A file that was left out, or a folder (its path ends in a slash) with all that it holds."""

    path: str
    reason: str
    """A key of ``skip_rules.REASONS``."""


class WalkResult(NamedTuple):
    """What a walk found, ordered by path."""

    files: list[FileEntry]
    skipped: list[Skipped]
    state: WorkTreeState | None = None
    """With it the next refresh need not walk; ``None`` where only a walk can tell."""

    def skipped_by_reason(self) -> dict[str, int]:
        """Count what was left out, by reason."""
        return dict(sorted(Counter(reason for _, reason in self.skipped).items()))


def walk(
    root: Path,
    *,
    git: GitRepo | None = None,
    max_file_bytes: int = DEFAULT_MAX_BYTES,
    data_dir: Path | None = None,
) -> WalkResult:
    """List the files below the resolved folder ``root``, which lies in the work tree of ``git``.

    A root that its repository ignores is scanned like a plain folder. ``data_dir`` is left out
    when it lies inside. Files and folders that vanish meanwhile are left out silently.

    Raises:
        NotARepository, DeadlineExceeded, Unavailable: git failed.
    """
    inspector = _Inspector(root, max_file_bytes, data_dir)
    if git is None or git.ignores(root):
        inspector.add_all(inspector.scan())
        return inspector.result(None)
    probe = start_probe(git, root)
    try:
        listing = git.list_files(root)
        inspector.add_all(listing.paths)
    except BaseException:
        if probe is not None:
            probe.cancel()
        raise
    state = probe.result() if probe is not None else None
    return inspector.result(None if listing.unwatched else state)


def inspect(
    root: Path,
    paths: Iterable[str],
    *,
    max_file_bytes: int = DEFAULT_MAX_BYTES,
    data_dir: Path | None = None,
) -> WalkResult:
    """Look at some ``paths`` below ``root`` only, by the same rules as ``walk``.

    A path that is in neither list of the result is gone.
    """
    inspector = _Inspector(root, max_file_bytes, data_dir)
    inspector.add_all(paths)
    return inspector.result(None)


def shown(path: str) -> str:
    r"""Return a path as it can be printed and stored in one line.

    Undecodable bytes are ``\xNN``, and so are control characters.
    """
    if path.isprintable():
        return path
    return with_escapes(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


class _Inspector:
    """Applies the rules to one path after another; each folder is judged once."""

    def __init__(self, root: Path, max_file_bytes: int, data_dir: Path | None) -> None:
        self._root = str(root)
        self._max_file_bytes = max_file_bytes
        self._data_dir = _relative(root, data_dir)
        self._ignore = rules_on_disk(root)
        self._ignore.enter("")
        self._entered = {"": True}
        self._files: list[FileEntry] = []
        self._skipped: list[Skipped] = []

    def result(self, state: WorkTreeState | None) -> WalkResult:
        """Return all that was found."""
        self._files.sort(key=lambda entry: entry.path)
        return WalkResult(self._files, sorted(set(self._skipped)), state)

    def add_all(self, paths: Iterable[str]) -> None:
        """Judge paths, relative to the root."""
        for path in paths:
            folder, _, _ = path.rpartition("/")
            if not path.endswith("/") and self._enters(folder):
                self._add(path)
            elif path.endswith("/") and self._enters(path[:-1].rpartition("/")[0]):
                # git ends the name of another repository's folder in a slash
                self._skip(path, "submodule")

    def scan(self) -> Iterator[str]:
        """Yield every file below the root, folders that are left out excepted."""
        pending = [""]
        while pending:
            folder = pending.pop()
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    found = list(entries)
            except FileNotFoundError:
                continue
            except OSError:
                self._skip(f"{folder}/", "unreadable")
                continue
            for entry in found:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    yield path
                elif self._enters(path):
                    pending.append(path)

    def _enters(self, folder: str) -> bool:
        known = self._entered.get(folder)
        if known is None:
            known = self._enters(folder.rpartition("/")[0]) and self._judge_folder(folder)
            self._entered[folder] = known
        return known

    def _judge_folder(self, folder: str) -> bool:
        """Return whether to go into a folder whose parent was entered; reads its ignore file."""
        if folder.rpartition("/")[2] in NEVER_ENTERED or folder == self._data_dir:
            return False
        full = f"{self._root}/{folder}"
        try:
            mode = os.lstat(full).st_mode
        except OSError:
            return False
        if stat.S_ISLNK(mode):
            return self._skip(folder, "symlink")
        if not stat.S_ISDIR(mode):
            return False
        reason = skip_folder(folder) or _marked_folder(full)
        if reason is None and self._ignore.ignores(f"{folder}/"):
            reason = "ignored"
        if reason is not None:
            return self._skip(f"{folder}/", reason)
        self._ignore.enter(folder)
        return True

    def _add(self, path: str) -> None:
        try:
            found = os.lstat(f"{self._root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            self._skip(path, "unreadable")
            return
        if not stat.S_ISREG(found.st_mode):
            is_folder = stat.S_ISDIR(found.st_mode)
            is_link = stat.S_ISLNK(found.st_mode)
            self._skip(path, "submodule" if is_folder else "symlink" if is_link else "special")
            return
        reason = skip_by_path(path, found.st_size, max_bytes=self._max_file_bytes)
        if reason is None and self._ignore.ignores(path):
            reason = "ignored"
        if reason is None and not is_printable(path):
            reason = "name"
        if reason is not None:
            self._skip(path, reason)
            return
        self._files.append(entry_of(path, found))

    def _skip(self, path: str, reason: str) -> bool:
        self._skipped.append(Skipped(shown(path), reason))
        return False


def _marked_folder(full: str) -> str | None:
    """Return the reason that a folder itself declares by what is in it."""
    for name, reason in FOLDER_MARKS.items():
        if os.access(f"{full}/{name}", os.F_OK):
            return reason
    is_index = all(os.access(f"{full}/{name}", os.F_OK) for name in _OF_AN_INDEX)
    return "cache" if is_index else None


def _relative(root: Path, inner: Path | None) -> str | None:
    if inner is None or not inner.is_relative_to(root) or inner == root:
        return None
    return inner.relative_to(root).as_posix()
