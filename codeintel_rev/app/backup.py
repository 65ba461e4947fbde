"""Copying a live index into one file, and making an index of such a file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from codeintel_rev import __version__
from codeintel_rev.app import data_dir as data_dirs
from codeintel_rev.errors import Busy, InvalidArgument
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import backup_archive, durability, storage_failure
from codeintel_rev.io.backup_archive import ArchiveWriter
from codeintel_rev.io.journal import Journal, JournalView
from codeintel_rev.io.registry import Registry

REGISTRY = "registry.sqlite"
REPOS = "repos"

OnWait = Callable[[str], None]


class BackupReport(msgspec.Struct, frozen=True):
    """What was written to a backup, or read from one."""

    file: str
    data_dir: str
    repos: list[str]
    files: int
    bytes: int


def back_up(data_dir: Path, file: Path, on_wait: OnWait | None = None) -> BackupReport:
    """Write every repository of an index to one file; searches go on, writers wait meanwhile.

    Mirrors and traces are left out. Raises ``IndexMissing`` where there is no index, and
    ``InvalidArgument`` when the file is there already.
    """
    registry = Registry(data_dir)
    try:
        with (
            storage_failure.explained(file),
            backup_archive.writing(file, data_dir, __version__) as archive,
            ExitStack() as locks,
            tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".backup-") as scratch,
        ):
            repositories = registry.repositories()
            folders = [RepositoryFolder(registry.folder(one)) for one in repositories]
            for folder in folders:
                locks.enter_context(folder.writing(on_wait=on_wait))
            if registry.repositories() != repositories:
                raise Busy("the index was built anew meanwhile", hint="try again")
            for folder in folders:
                _add_repository(archive, data_dir, folder, Path(scratch))
            archive.add(REGISTRY, _copy_of(registry.path, Path(scratch)))
        names = [one.name for one in repositories]
        return BackupReport(str(file), str(data_dir), names, len(archive.files), archive.bytes)
    finally:
        registry.close()


def restore(file: Path, data_dir: Path) -> BackupReport:
    """Make an index of a backup; the registry is put there last, so that it is whole or not there.

    An index that is to be a repository's own is of that one, any other of those it was made of.

    Raises ``InvalidArgument`` where there is an index already, and what a file that is no whole
    backup raises; then nothing is changed.
    """
    _require_none(data_dir)
    backup_archive.require(file)
    data_dirs.ensure(data_dir)
    with (
        storage_failure.explained(data_dir),
        tempfile.TemporaryDirectory(dir=data_dir, prefix="restore-") as scratch,
    ):
        new = Path(scratch)
        manifest = backup_archive.extract(file, new)
        registry = Registry(new)
        try:
            if data_dir.name != data_dirs.FOLDER:  # else it is of the folder that it lies in
                registry.settle(Path(manifest.data_dir))
            names = [repository.name for repository in registry.repositories()]
        finally:
            registry.close()
        for folder in (new / REPOS).glob("*/"):
            # an archive holds files alone, and compaction leaves none here
            RepositoryFolder(folder).vectors.mkdir(exist_ok=True)
        size = sum(path.stat().st_size for path in new.rglob("*") if path.is_file())
        _put(new, data_dir)
    return BackupReport(str(file), str(data_dir), names, len(manifest.files), size)


def _put(new: Path, data_dir: Path) -> None:
    """Move what was restored to its place; the registry last, and never over another."""
    _require_none(data_dir)
    # what an index left that lost its registry means nothing any more
    shutil.rmtree(data_dir / REPOS, ignore_errors=True)
    if (new / REPOS).exists():
        (new / REPOS).rename(data_dir / REPOS)
    durability.sync(data_dir)
    try:
        (data_dir / REGISTRY).hardlink_to(new / REGISTRY)
    except FileExistsError:
        _require_none(data_dir)
    durability.sync(data_dir)


def _require_none(data_dir: Path) -> None:
    if (data_dir / REGISTRY).exists():
        raise InvalidArgument(
            f"there is an index in {data_dir} already",
            hint="move it away, or name another folder with --data-dir",
            value=str(data_dir),
        )


def _add_repository(
    archive: ArchiveWriter, data_dir: Path, folder: RepositoryFolder, scratch: Path
) -> None:
    """Add one repository's files; its writer lock is held, so that no commit changes them."""
    journal = Journal(folder.journal)
    try:
        with journal.view() as view:
            found = sorted(set(_files(folder, view)))
            lock = folder.generation_lock(view.generation)
    finally:
        journal.close()
    for path in found:
        archive.add(path.relative_to(data_dir).as_posix(), path)
    archive.add_empty(lock.relative_to(data_dir).as_posix())
    copy = _copy_of(folder.journal, scratch)
    archive.add(folder.journal.relative_to(data_dir).as_posix(), copy)


def _files(folder: RepositoryFolder, view: JournalView) -> Iterator[Path]:
    """Yield the files that the journal refers to: its generation's, and those of the vectors."""
    generation = str(view.generation)
    for part in folder.path.glob(f"*/{generation}"):
        yield from (path for path in part.rglob("*") if path.is_file())
    for segment in view.segments():
        for name in (segment.file, segment.map_file):
            if name is None:
                continue
            path = Path(os.path.normpath(folder.vectors / name))
            if path.exists():  # or it is damaged, which `doctor` tells of the copy as well
                yield path


def _copy_of(database: Path, scratch: Path) -> Path:
    """Return a copy of a database with everything that was committed, whoever has it open."""
    copy = scratch / database.name
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy
