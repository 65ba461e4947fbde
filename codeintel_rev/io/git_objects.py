"""What a git repository holds: refs, commits, trees and blobs, read without a work tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.errors import CodeIntelError, NotFound, Unavailable
from codeintel_rev.io import git_process
from codeintel_rev.io.git_process import decode, split_paths

_SHORT_PREFIXES = ("refs/heads/", "refs/tags/", "refs/remotes/")
"""Where a short name is looked for, in this order: who says ``main`` means the branch."""

_NO_NAME = re.compile(r"^-|[\x00-\x20\x7f*?\[\\\ud800-\udfff]|^$")
"""What no name of a ref or commit holds; a leading dash would be an option. One that is not UTF-8
cannot be kept."""

_FULL_SHA = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")

_ASKED_AT_ONCE = 256
"""Blobs asked for before the first is read: their names fit into a pipe."""


class ResolvedRef(NamedTuple):
    """A name and the commit that it stands for now."""

    name: str
    """``refs/heads/main``, or the commit itself where no ref was named."""
    commit: str

    @property
    def label(self) -> str:
        """What people call it: ``main``."""
        return short_name(self.name)


class TreeEntry(NamedTuple):
    """A file of a commit."""

    path: str
    mode: str
    kind: str
    """``blob``, or ``commit`` for a submodule."""
    oid: bytes
    size: int


def short_name(ref: str) -> str:
    """Return a ref's name without the folder of its kind; other names as they are."""
    prefix = next((p for p in _SHORT_PREFIXES if ref.startswith(p)), "")
    return ref.removeprefix(prefix)


@dataclass(frozen=True, slots=True)
class GitObjects:
    """The objects and refs in one git folder, which all work trees of the repository share."""

    git_dir: Path

    def resolve(self, name: str) -> ResolvedRef:
        """Return the commit that a branch, tag, full ref name, commit or expression stands for.

        Raises:
            NotFound: there is no such name, or it stands for no commit.
        """
        if not _NO_NAME.search(name):
            full = self._current_branch() if name == "HEAD" else self._full_name(name)
            commit = self._commit(full or name)
            if commit is not None:
                return ResolvedRef(full or commit, commit)
        raise NotFound(
            f"there is no branch, tag or commit {name!r} in this repository",
            hint="`git branch --all` and `git tag` list those that there are",
            value=name,
        )

    def default_branch(self) -> ResolvedRef | None:
        """Return the branch that HEAD names, or ``None`` when it names none that exists."""
        full = self._current_branch()
        commit = self._commit(full) if full else None
        return ResolvedRef(full, commit) if full and commit else None

    def tree(self, commit: str) -> list[TreeEntry]:
        """Return every file of a commit, in git's order.

        Raises ``Unavailable`` when the repository lacks some of them, as a partial clone may.
        """
        try:
            output = self._run("ls-tree", "-r", "-z", "-l", "--full-tree", commit)
        except Unavailable as error:
            raise Unavailable(
                f"not all files of commit {commit[:12]} are in {self.git_dir}",
                hint="in a partial clone, check the ref out once, so that git fetches them",
                value=commit,
            ) from error
        return [_tree_entry(line) for line in split_paths(output)]

    def commits_between(self, old: str, new: str) -> int | None:
        """Return how many commits ``new`` has that ``old`` has not; ``None`` when unknown."""
        if old == new:
            return 0
        try:
            return int(self._run("rev-list", "--count", "--end-of-options", f"{old}..{new}"))
        except CodeIntelError:
            return None

    def read_blobs(self) -> BlobReader:
        """Start reading blobs; the caller closes the reader."""
        return BlobReader(self.git_dir)

    def _run(self, *args: str) -> bytes:
        return git_process.run(self.git_dir, *args, git_dir=self.git_dir)

    def _full_name(self, name: str) -> str | None:
        wanted = [name] if name.startswith("refs/") else [p + name for p in _SHORT_PREFIXES]
        found = decode(self._run("for-each-ref", "--format=%(refname)", *wanted)).splitlines()
        return next((full for full in wanted if full in found), None)

    def _current_branch(self) -> str | None:
        try:
            name = decode(self._run("symbolic-ref", "--quiet", "HEAD")).strip()
        except Unavailable:
            return None
        return None if _NO_NAME.search(name) else name

    def _commit(self, name: str) -> str | None:
        try:
            output = self._run(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
            )
        except Unavailable:
            return None
        commit = decode(output).strip()
        return commit if _FULL_SHA.match(commit) else None


class BlobReader:
    """Reads blobs through one git process."""

    def __init__(self, git_dir: Path) -> None:
        self._process = git_process.start(
            git_dir, "cat-file", "--batch", git_dir=git_dir, asks=True
        )

    def read(self, oids: Sequence[bytes]) -> Iterator[bytes | None]:
        """Yield the bytes of each blob in the order asked, ``None`` for one that is not there."""
        for start in range(0, len(oids), _ASKED_AT_ONCE):
            asked = oids[start : start + _ASKED_AT_ONCE]
            self._ask(asked)
            for _ in asked:
                yield self._answer()

    def close(self) -> None:
        """End the git process."""
        git_process.stop(self._process)

    def _ask(self, oids: Sequence[bytes]) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(b"".join(b"%s\n" % oid.hex().encode() for oid in oids))
            stdin.flush()
        except OSError as error:
            raise _ended(error) from error

    def _answer(self) -> bytes | None:
        stdout = self._process.stdout
        assert stdout is not None
        head = stdout.readline().split()
        if not head:
            raise _ended(None)
        if len(head) < 3 or head[1] != b"blob":
            return None
        size = int(head[2])
        data = stdout.read(size + 1)
        if len(data) <= size:
            raise _ended(None)
        return data[:-1]


def _ended(cause: OSError | None) -> Unavailable:
    return Unavailable(
        f"git stopped while it was read from{f': {cause}' if cause else ''}",
        hint="run again; files prepared so far are kept",
        value="git cat-file",
    )


def _tree_entry(line: str) -> TreeEntry:
    facts, _, path = line.partition("\t")
    mode, kind, oid, size = facts.split()
    return TreeEntry(path, mode, kind, bytes.fromhex(oid), int(size) if size.isdecimal() else 0)
