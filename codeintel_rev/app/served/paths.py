"""From the path that a caller names to the file that is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from codeintel_rev.app.file_filter import FileFilter
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.repository import RepositoryView
from codeintel_rev.errors import InvalidArgument, NotFound, PathOutsideRoot
from codeintel_rev.indexing.decoding import decode_source
from codeintel_rev.indexing.file_source import read_file
from codeintel_rev.io.git_objects import GitObjects
from codeintel_rev.io.git_worktrees import is_bare
from codeintel_rev.io.journal import FileRecord, Snapshot
from codeintel_rev.text.printable import is_printable
from codeintel_rev.types import FileEntry, Scope

MAX_PATH_CHARS = 4096


class FoundFile(NamedTuple):
    """A file of one snapshot."""

    view: RepositoryView
    snapshot: Snapshot
    record: FileRecord
    lang: str

    @property
    def repo(self) -> str:
        """The repository's name."""
        return self.view.repository.name

    @property
    def root(self) -> Path | None:
        """The folder that the snapshot is of; ``None`` when it is of a commit."""
        return self.view.root_of(self.snapshot)

    @property
    def git_dir(self) -> Path:
        """Where the repository's objects lie."""
        root = Path(self.view.repository.root)
        return root if is_bare(root) else Path(self.view.repository.identity)

    def text(self) -> str:
        """Return what the file holds now; raises ``NotFound`` when it is gone."""
        return decoded(self.data())

    def data(self) -> bytes:
        """Return the bytes that the file holds now; raises ``NotFound`` when it is gone."""
        root = self.root
        if root is None:
            return self._blob()
        entry = FileEntry(self.record.path, self.record.size, self.record.mtime_ns)
        read = read_file(root, entry)
        if read is None:
            raise _gone(self.record.path)
        return read.data

    def _blob(self) -> bytes:
        reader = GitObjects(self.git_dir).read_blobs()
        try:
            data = next(reader.read([self.record.oid]))
        finally:
            reader.close()
        if data is None:
            raise _gone(self.record.path)
        return data


def decoded(data: bytes) -> str:
    """Return the text in a file's bytes, whatever their encoding."""
    return decode_source(data).utf8.decode("utf-8", "replace")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as editors and git count them, with their ends."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def checked_path(path: str) -> str:
    """Return a repository-relative path in its normal form, empty for the root itself.

    Raises ``PathOutsideRoot`` when it leaves the root and ``InvalidArgument`` when it is no path.
    """
    if len(path) > MAX_PATH_CHARS or not is_printable(path):
        raise InvalidArgument(
            "the path is too long or holds control characters",
            hint="name a file as list_paths returns it",
            value=ascii(path[:80]),
        )
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if path.startswith(("/", "\\", "~")) or ".." in parts or ":" in (parts or ("",))[0]:
        raise PathOutsideRoot(
            f"{path!r} is no path inside a repository",
            hint="name it relative to the repository's root, as in 'src/app.py'",
            value=path,
        )
    return "/".join(parts)


def views(index: LocalIndex, scope: Scope | None) -> Iterator[tuple[RepositoryView, FileFilter]]:
    """Yield a view of each repository in scope that holds something, with the filter of its files.

    A view is open until the next one is asked for.
    """
    passes = FileFilter(scope or Scope())
    for opened in index.selected(scope):
        with opened.view(scope) as view:
            if view is not None:
                yield view, passes


@contextmanager
def found_file(index: LocalIndex, path: str, scope: Scope | None) -> Iterator[FoundFile]:
    """Find the indexed file that ``path`` names, in the first snapshot in scope that holds it.

    Raises ``NotFound`` when none holds it, ``PathOutsideRoot`` for a path that leads out, and
    ``InvalidArgument`` when several repositories hold it.
    """
    path = checked_path(path)
    holders = [
        view.repository.name
        for view, passes in views(index, scope)
        if (found := find(view, path)) is not None and passes.match(path, found.lang)
    ]
    if len(holders) > 1:
        raise InvalidArgument(
            f"{path} is in several repositories: {', '.join(holders)}",
            hint="name one with `repo`",
            value=path,
        )
    for view, _ in views(index, msgspec.structs.replace(scope or Scope(), repos=holders)):
        found = find(view, path)
        if found is not None:
            yield found
            return
    raise NotFound(
        f"there is no indexed file {path!r} in scope",
        hint="list_paths and symbol_search tell what there is",
        value=path,
    )


def find(view: RepositoryView, path: str) -> FoundFile | None:
    """Return a file of the first snapshot that holds it, ``None`` when none does."""
    for snapshot in view.snapshots:
        record = view.catalog.record(snapshot, path)
        listed = view.catalog.listing(snapshot, path)[:1]
        if record is not None and listed:
            return FoundFile(view, snapshot, record, listed[0].lang)
    return None


def _gone(path: str) -> NotFound:
    return NotFound(f"{path} is no longer there", hint="search again", value=path)
