"""Examining a data directory, and repairing what can be repaired."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from codeintel_rev.app import leftovers
from codeintel_rev.app.checks import CHECKS, Check, Fault, Patient
from codeintel_rev.app.compaction import compact_repository
from codeintel_rev.app.components import IndexEmbedder, components, load_embedder
from codeintel_rev.app.further_checks import further_checks
from codeintel_rev.app.further_indexes import further_indexes
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import CodeIntelError
from codeintel_rev.indexing.pipeline import Progress
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.generation_lock import GenerationLock
from codeintel_rev.io.git_address import is_address
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.registry import Registry, Repository

REPAIR = "codeintel doctor --repair"
REBUILT = ("journal", "chunks")
"""Faults of the record itself: only the repository's files can make it anew."""
OLDER = "components"
"""A fault that indexing mends, the cheapest way for what is older."""
FOLDERS = "folders"
"""The check of the data directory as a whole."""


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check."""

    name: str
    """``repository: check``."""
    ok: bool
    detail: str
    fix: str = ""
    """The command that mends it."""


class DoctorReport(msgspec.Struct, frozen=True):
    """The outcome of all checks."""

    ok: bool
    checks: list[Finding]


def examine(data_dir: Path, settings: Settings | None = None) -> DoctorReport:
    """Check every repository of ``data_dir``.

    Raises ``IndexMissing`` where there is no index at all.
    """
    settings = settings or load_settings()
    checks = CHECKS | further_checks(settings)
    with (
        closing(Registry(data_dir)) as registry,
        closing(load_embedder(settings, data_dir)) as embedder,
    ):
        found = [_folders(registry)]
        for repository in registry.repositories():
            found += _examine(registry, repository, embedder, checks)
    return DoctorReport(all(finding.ok for finding in found), found)


def repair(data_dir: Path, settings: Settings, progress: Progress) -> DoctorReport:
    """Mend what ``examine`` finds, and examine again.

    What the journal records is made anew from it; a damaged journal is built anew from the
    repository's files. When one repository cannot be mended, that is raised after the others are.
    """
    failed: list[CodeIntelError] = []
    with (
        closing(Registry(data_dir)) as registry,
        closing(load_embedder(settings, data_dir)) as embedder,
    ):
        leftovers.clear(registry)
        for repository in registry.repositories():
            try:
                _mend(registry, repository, settings, embedder, progress)
            except CodeIntelError as error:  # as of a repository that is gone
                failed.append(error)
    if failed:
        raise failed[0]
    return examine(data_dir, settings)


def _mend(
    registry: Registry,
    repository: Repository,
    settings: Settings,
    embedder: IndexEmbedder,
    progress: Progress,
) -> None:
    checks = CHECKS | further_checks(settings)
    bad = {
        finding.name.rpartition(": ")[2]
        for finding in _examine(registry, repository, embedder, checks)
        if not finding.ok
    }
    rebuilt = bool(bad.intersection(REBUILT))
    if rebuilt or OLDER in bad:
        index_repositories(
            [_source(repository)],
            data_dir=registry.data_dir,
            name=repository.name,
            full=rebuilt,
            settings=settings,
            progress=progress,
        )
    if bad - {OLDER} and not rebuilt:
        compact_repository(
            registry,
            repository,
            embedder,
            progress,
            reembed="vectors" in bad,
            materialize=settings.duckdb.materialize,
            further=further_indexes(settings),
            afresh=True,
        )


def _examine(
    registry: Registry,
    repository: Repository,
    embedder: IndexEmbedder,
    checks: Mapping[str, Check],
) -> Iterator[Finding]:
    """Yield the outcome of each check of one repository."""
    folder = RepositoryFolder(registry.folder(repository))
    refresh = f"codeintel index {_source(repository)} --data-dir {registry.data_dir}"
    rebuild = f"{refresh} --full"
    fixes = {OLDER: refresh} | dict.fromkeys(REBUILT, rebuild)
    try:
        journal = Journal(folder.journal)
    except CodeIntelError as error:
        yield Finding(f"{repository.name}: journal", False, error.message, rebuild)
        return
    try:
        with journal.view() as view, _kept(folder, view.generation):
            patient = Patient.admit(folder, view, components(embedder), embedder.dim)
            for name, check in checks.items():
                title, fix = f"{repository.name}: {name}", fixes.get(name, REPAIR)
                try:
                    yield Finding(title, True, check(patient))
                except Fault as fault:
                    yield Finding(title, False, str(fault), fault.fix or fix)
                except sqlite3.Error:
                    raise
                except Exception as error:
                    yield Finding(title, False, _told(error), fix)
    except Exception as error:
        yield Finding(f"{repository.name}: journal", False, _told(error), rebuild)
    finally:
        journal.close()


def _told(error: Exception) -> str:
    """Return what is wrong in words; damage may break a check anywhere."""
    if isinstance(error, CodeIntelError):
        return error.message
    return f"it cannot be read ({type(error).__name__}: {error})"


@contextmanager
def _kept(folder: RepositoryFolder, generation: int) -> Iterator[None]:
    """Keep a compaction that ends meanwhile from deleting the files that are looked at."""
    lock = GenerationLock.share(folder.generation_lock(generation))
    try:
        yield
    finally:
        if lock is not None:
            lock.close()


def _folders(registry: Registry) -> Finding:
    """Check that every folder below ``repos`` belongs to a repository."""
    unknown = [folder.name for folder in leftovers.left_behind(registry)]
    if unknown:
        return Finding(FOLDERS, False, f"left behind: {', '.join(unknown)}", REPAIR)
    count = len(registry.repositories())
    return Finding(FOLDERS, True, f"{count} repositor{'y' if count == 1 else 'ies'}")


def _source(repository: Repository) -> str:
    """Return what ``index`` was given to make this repository."""
    return repository.identity if is_address(repository.identity) else repository.root
