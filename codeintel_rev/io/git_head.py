"""Where HEAD stands, read from the files of a git folder: a search has no time for a process."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_COMMIT: Final = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\n?")
_BRANCH: Final = re.compile(rb"ref: (refs/heads/[^\x00-\x20\x7f]+)\n?")
_MAX_BYTES: Final = 4_096
"""A file that names a ref or a commit is never longer."""


def read_head(git_dir: Path, common_dir: Path) -> tuple[str | None, str] | None:
    """Return (branch, commit), without a branch when HEAD is detached.

    ``None`` where only git can tell: before the first commit, and for whatever is not kept in the
    plain way, as with reftables or a branch that names another one.
    """
    head = git_dir / "HEAD"
    try:
        if head.is_symlink():  # an old way to name a branch
            return None
        text = read_regular(head)[:_MAX_BYTES]
        if _COMMIT.fullmatch(text):
            return None, text.strip().decode()
        named = _BRANCH.fullmatch(text)
        if named is None or b".." in named[1]:
            return None
        commit = _loose(common_dir, named[1]) or _packed(common_dir, named[1])
    except OSError:
        return None
    branch = named[1].decode("utf-8", "replace").removeprefix("refs/heads/")
    return None if commit is None else (branch, commit)


def _loose(common_dir: Path, name: bytes) -> str | None:
    try:
        text = read_regular(common_dir / name.decode("utf-8", "surrogateescape"))[:_MAX_BYTES]
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not _COMMIT.fullmatch(text):
        raise OSError(errno.EINVAL, "names no commit")
    return text.strip().decode()


def _packed(common_dir: Path, name: bytes) -> str | None:
    """Look the ref up among those that ``git pack-refs`` took together, and again among the others.

    It may be taken out of them, or be written anew, between two looks.
    """
    try:
        packed = read_regular(common_dir / "packed-refs")
    except FileNotFoundError:
        packed = b""
    found = re.search(rb"^([0-9a-f]{40,64}) " + re.escape(name) + rb"$", packed, re.MULTILINE)
    return _loose(common_dir, name) or (found[1].decode() if found else None)


def read_regular(path: Path) -> bytes:
    """Read a file that may be a trap: a pipe would never end. Raises ``OSError``."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    return path.read_bytes()
