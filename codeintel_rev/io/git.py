"""What the indexer asks of a git repository."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from codeintel_rev.errors import CodeIntelError, NotARepository, Unavailable
from codeintel_rev.io import git_process
from codeintel_rev.io.git_head import read_head, read_regular
from codeintel_rev.io.git_process import TIMEOUT_S, decode, decode_to_show, split_paths

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable

_PLAIN_INDEXES = (2, 3)
"""Versions of git's index that spell every path out."""

_LINK_BYTES = 4_096
"""A file that names a folder is never longer."""


class Listing(NamedTuple):
    """The files of a work tree, relative to the folder that was asked about."""

    paths: list[str]
    """Files deleted from disk too; another repository inside is one path, its folder."""
    unwatched: bool
    """Whether the index asks git to assume some file unchanged, whatever it holds."""


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A repository with a work tree."""

    root: Path
    """Top level of the work tree."""
    git_dir: Path
    """Where this work tree's index and HEAD lie."""
    common_dir: Path
    """Where what all its work trees share lies; the repository's identity."""

    def run(self, *args: str, timeout_s: float = TIMEOUT_S) -> bytes:
        """Run one git command at the root; raises as ``git_process.run``."""
        return git_process.run(self.root, *args, timeout_s=timeout_s)

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start one git command at the root; raises as ``git_process.start``."""
        return git_process.start(self.root, *args)

    def head(self) -> tuple[str | None, str | None]:
        """Return (branch, commit): no branch when detached, no commit before the first one."""
        found = read_head(self.git_dir, self.common_dir)
        if found is not None:
            return found
        try:
            output = self.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        except Unavailable:
            unborn = self.run("symbolic-ref", "--quiet", "HEAD")
            return _branch(decode_to_show(unborn).strip()), None
        commit, name = decode_to_show(output).split("\n")[:2]
        return _branch(name), commit

    def list_files(self, folder: Path) -> Listing:
        """List what git tracks or would add below ``folder``, which lies in the work tree."""
        output = self.run(
            *("ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard"),
            *self.below(folder),
        )
        tagged = split_paths(output)
        paths = self.relative((entry[2:] for entry in tagged), folder)
        return Listing(list(dict.fromkeys(paths)), any(entry[0].islower() for entry in tagged))

    def staged(self, folder: Path, commit: str) -> frozenset[str]:
        """Return the files below ``folder`` at which git's index is not what ``commit`` holds."""
        output = self.run(
            *("diff-index", "-z", "--cached", "--name-only", "--ignore-submodules=all", commit),
            *self.below(folder),
        )
        return frozenset(self.relative(split_paths(output), folder))

    def visible(self, folder: Path, paths: Iterable[str]) -> set[str]:
        """Return the files that git tracks or would add at or below ``paths`` of ``folder``."""
        prefix = "" if folder == self.root else self._prefix(folder)
        output = self.run(
            *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"),
            *(f":(literal){prefix}{path}" for path in paths),
        )
        return set(self.relative(split_paths(output), folder))

    def tracks(self, path: Path) -> bool:
        """Return whether git's index holds ``path`` of the work tree, or anything below it, in any case.

        It is looked into first, as asking git takes a process; where git cannot tell, what was seen
        there counts. A damaged index came from nowhere: those of clones are written by git.
        """
        try:
            data = read_regular(self.git_dir / "index")
        except OSError:
            return False
        name, paths = os.fsencode(path.name).lower(), data.lower()
        seen = name in paths and (name + b"/" in paths or name + b"\0" in paths)
        is_plain = int.from_bytes(data[4:8]) in _PLAIN_INDEXES
        if is_plain and not seen and not any(self.git_dir.glob("sharedindex.*")):
            return False
        where = f":(literal,icase){path.relative_to(self.root).as_posix()}"
        try:
            return bool(self.run("ls-files", "-z", "--cached", "--", where))
        except CodeIntelError:
            return seen

    def below(self, folder: Path) -> tuple[str, ...]:
        """Return the arguments that confine a command to ``folder``."""
        return () if folder == self.root else ("--", f":(literal){self._prefix(folder)}")

    def relative(self, paths: Iterable[str], folder: Path) -> list[str]:
        """Make paths that git printed relative to ``folder``, those outside it left out."""
        if folder == self.root:
            return list(paths)
        prefix = self._prefix(folder)
        return [path.removeprefix(prefix) for path in paths if path[len(prefix) :]]

    def _prefix(self, folder: Path) -> str:
        return f"{folder.relative_to(self.root).as_posix()}/"

    def ignores(self, folder: Path) -> bool:
        """Return whether git's ignore rules leave out ``folder``, which lies in the work tree."""
        if folder == self.root:
            return False
        try:
            self.run("check-ignore", "--quiet", "--end-of-options", str(folder))
        except Unavailable:
            return False
        return True

    def names_filters(self) -> bool:
        """Return whether the repository's own configuration may name programs that git filters by.

        An included file may hold anything, and a file that cannot be read is not trusted.
        """
        for path in (self.common_dir / "config", self.git_dir / "config.worktree"):
            try:
                text = read_regular(path).lower()
            except FileNotFoundError:
                continue
            except OSError:
                return True
            if b"[filter" in text or b"[include" in text:
                return True
        return False


def locate(path: Path) -> GitRepo | None:
    """Return the repository that ``path`` seems to lie in, from ``.git`` alone, without git."""
    for root in (path, *path.parents):
        entry = root / ".git"
        try:
            if (entry / "HEAD").exists():
                return GitRepo(root, entry, _common_dir(entry))
            if entry.is_file():
                return _linked(root, entry)
        except OSError:
            continue
    return None


def discover(path: Path) -> GitRepo | None:
    """Return the repository that the resolved folder ``path`` lies in, if any.

    Raises:
        NotARepository: git refuses it, because another user owns it.
        Unavailable: git is missing or failed.
    """
    repo = locate(path)
    if repo is None:
        return None
    try:
        repo.run("rev-parse", "--git-dir")
    except NotARepository as refusal:
        if refusal.hint:
            raise
        return None
    return repo


def _branch(name: str) -> str | None:
    return name.removeprefix("refs/heads/") if name.startswith("refs/") else None


def _linked(root: Path, entry: Path) -> GitRepo | None:
    """Follow a ``.git`` file, as linked work trees and submodules have, to its folder."""
    first = decode(read_regular(entry)[:_LINK_BYTES]).strip()
    target = (root / first.removeprefix("gitdir:").strip()).resolve()
    if not first.startswith("gitdir:") or not target.is_dir():
        return None
    return GitRepo(root, target, _common_dir(target))


def _common_dir(git_dir: Path) -> Path:
    try:
        text = decode(read_regular(git_dir / "commondir")[:_LINK_BYTES])
    except OSError:
        return git_dir
    return (git_dir / text.strip()).resolve()
