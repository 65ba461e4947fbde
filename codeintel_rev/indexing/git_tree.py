"""The files of a commit, chosen by the same rules as those of a folder, and their bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from codeintel_rev.indexing.file_source import ReadFile
from codeintel_rev.indexing.ignore_rules import IgnoreRules, split_lines
from codeintel_rev.indexing.skip_rules import FOLDER_MARKS, skip_by_path, skip_folder
from codeintel_rev.indexing.survey import Survey
from codeintel_rev.indexing.walker import NEVER_ENTERED, Skipped, shown
from codeintel_rev.io.git_objects import BlobReader, GitObjects, ResolvedRef, TreeEntry
from codeintel_rev.io.work_tree import IGNORE_FILE
from codeintel_rev.text.printable import is_printable
from codeintel_rev.types import FileEntry

_LINK_MODE = "120000"


class TreeSource:
    """The blobs of a repository (``FileSource``); git is started at the first read."""

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = git_dir
        self._reader: BlobReader | None = None

    def __reduce__(self) -> tuple[type[TreeSource], tuple[Path]]:
        return TreeSource, (self._git_dir,)

    def read(self, entries: Sequence[FileEntry]) -> Iterator[ReadFile | None]:
        """Yield each file in the order asked, ``None`` for one whose blob is not there."""
        if self._reader is None:
            self._reader = BlobReader(self._git_dir)
        blobs = self._reader.read([entry.oid for entry in entries])
        for entry, data in zip(entries, blobs, strict=True):
            yield None if data is None else ReadFile(data, entry, time.time_ns())

    def close(self) -> None:
        """End git."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def survey_tree(objects: GitObjects, at: ResolvedRef, *, max_file_bytes: int) -> Survey:
    """Choose the files of a commit that are worth indexing; nothing is checked out."""
    tree = objects.tree(at.commit)
    judge = _Judge(tree, _ignore_rules(objects, tree), max_file_bytes)
    for entry in tree:
        judge.add(entry)
    judge.files.sort(key=lambda entry: entry.path)
    return Survey(judge.files, sorted(set(judge.skipped)), (at.label, at.commit), None)


class _Judge:
    """Applies the rules to one file after another; each folder is judged once."""

    def __init__(self, tree: Sequence[TreeEntry], ignore: IgnoreRules, max_file_bytes: int) -> None:
        self.files: list[FileEntry] = []
        self.skipped: list[Skipped] = []
        self._marked = {
            folder: FOLDER_MARKS[name]
            for folder, _, name in (entry.path.rpartition("/") for entry in tree)
            if folder and name in FOLDER_MARKS
        }
        self._ignore = ignore
        self._ignore.enter("")
        self._entered = {"": True}
        self._max_file_bytes = max_file_bytes

    def add(self, entry: TreeEntry) -> None:
        """Judge one file of the tree."""
        path = entry.path
        if not self._enters(path.rpartition("/")[0]):
            return
        reason = self._reason(entry)
        if reason is not None:
            self.skipped.append(Skipped(shown(path), reason))
            return
        stand_in = int.from_bytes(entry.oid[:8], "little") >> 1
        self.files.append(FileEntry(path, entry.size, 0, stand_in, entry.oid))

    def _reason(self, entry: TreeEntry) -> str | None:
        if entry.kind != "blob":
            return "submodule"
        if entry.mode == _LINK_MODE:
            return "symlink"
        reason = skip_by_path(entry.path, entry.size, max_bytes=self._max_file_bytes)
        if reason is None and self._ignore.ignores(entry.path):
            reason = "ignored"
        if reason is None and not is_printable(entry.path):
            reason = "name"
        return reason

    def _enters(self, folder: str) -> bool:
        known = self._entered.get(folder)
        if known is None:
            known = self._enters(folder.rpartition("/")[0]) and self._judge_folder(folder)
            self._entered[folder] = known
        return known

    def _judge_folder(self, folder: str) -> bool:
        if folder.rpartition("/")[2] in NEVER_ENTERED:
            return False
        reason = skip_folder(folder) or self._marked.get(folder)
        if reason is None and self._ignore.ignores(f"{folder}/"):
            reason = "ignored"
        if reason is not None:
            self.skipped.append(Skipped(f"{shown(folder)}/", reason))
            return False
        self._ignore.enter(folder)
        return True


def _ignore_rules(objects: GitObjects, tree: Sequence[TreeEntry]) -> IgnoreRules:
    found = [
        entry
        for entry in tree
        if entry.path.rpartition("/")[2] == IGNORE_FILE and entry.mode != _LINK_MODE
    ]
    if not found:
        return IgnoreRules(lambda _: [])
    reader = objects.read_blobs()
    try:
        lines = {
            entry.path: split_lines(data or b"")
            for entry, data in zip(found, reader.read([e.oid for e in found]), strict=True)
        }
    finally:
        reader.close()
    return IgnoreRules(lambda path: lines.get(path, []))
