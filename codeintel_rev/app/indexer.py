"""Indexing and refreshing the repositories of a data directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app import surveyors
from codeintel_rev.app.components import check_components, components
from codeintel_rev.app.data_dir import checked_root, data_dir_for_index, ensure
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import NotARepository
from codeintel_rev.indexing.file_source import DiskSource
from codeintel_rev.indexing.pipeline import (
    Progress,
    Refresher,
    RefreshOptions,
    RefreshReport,
    unchanged,
)
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.indexing.survey import Survey
from codeintel_rev.io import git, lease
from codeintel_rev.io.registry import Registry, Repository
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.types import IndexReport

_WATCHER_POLL_S = 0.01
"""Pause between two looks at what a watcher has done."""


class Waiting(NamedTuple):
    """How long a writer waits for another one."""

    timeout_s: float | None = None
    """Seconds; ``None`` waits for ever."""
    on_wait: Callable[[str], None] | None = None
    """Told once who holds the lock."""
    watcher_s: float = 0.0
    """Seconds left to a watcher that is alive to do the work, before it is done here."""


def quiet(stage: str, done: int, total: int, lines: int) -> None:
    """Report nothing (``Progress``)."""


def index_repositories(
    paths: Sequence[Path],
    *,
    data_dir: Path | None = None,
    name: str | None = None,
    full: bool = False,
    wait: bool = True,
    settings: Settings | None = None,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> IndexReport:
    """Index or refresh ``paths`` and return what changed.

    ``full`` builds each index anew beside the old one, which serves until the new one is whole.
    Raises ``NotARepository`` for a path that holds nothing to index, and ``Busy`` when another
    process writes and ``wait`` is off.
    """
    settings = settings or load_settings()
    roots = [checked_root(path) for path in paths]
    folder = data_dir_for_index(roots, data_dir, settings.data_home)
    ensure(folder)
    waiting = Waiting(None if wait else 0.0, on_wait)
    started = time.perf_counter()
    registry = Registry(folder, create=True)
    embedder = StaticEmbedder()
    try:
        reports = [
            _index_one(
                registry, root, name, settings, embedder, waiting, progress or quiet, full=full
            )
            for root in roots
        ]
    finally:
        registry.close()
    return _summary(reports, time.perf_counter() - started)


def refresh_repository(
    registry: Registry,
    repository: Repository,
    settings: Settings,
    embedder: StaticEmbedder,
    waiting: Waiting,
    progress: Progress = quiet,
) -> RefreshReport:
    """Bring one registered repository up to date; takes no lock when nothing changed."""
    root = checked_root(Path(repository.root))
    folder = RepositoryFolder(registry.folder(repository))
    wanted = components(embedder)
    surveyor = surveyors.take(root)
    try:
        if not folder.journal.exists():
            folder.create(wanted)
        before, meta = folder.state()
        check_components(repository.name, meta, wanted)
        suspects = surveyor.suspects(before.tree_state) if before is not None else None
        look = partial(
            surveyor.survey,
            max_file_bytes=settings.index.max_file_bytes,
            data_dir=registry.data_dir,
        )
        progress("scan", 0, 0, 0)
        survey = look(suspects)
        _require_files(root, survey)
        options = RefreshOptions(workers=settings.index.workers)
        refresher = Refresher(
            folder, repository.name, DiskSource(root), embedder, embedder.dim, options
        )
        if before is not None and refresher.is_current(survey):
            return unchanged(folder)
        if lease.is_held(folder.refresher_lock) and _comes(refresher, survey, waiting.watcher_s):
            return unchanged(folder)
        with folder.writing(timeout_s=waiting.timeout_s, on_wait=waiting.on_wait):
            if folder.state()[0] != before:  # another writer was faster
                survey = look(None)
            return refresher.refresh(survey, progress)
    finally:
        surveyor.close()


def _comes(refresher: Refresher, survey: Survey, timeout_s: float) -> bool:
    """Wait for a watcher to index what was surveyed; returns whether it did in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if refresher.holds(survey):
            return True
        time.sleep(_WATCHER_POLL_S)
    return False


def _index_one(
    registry: Registry,
    root: Path,
    name: str | None,
    settings: Settings,
    embedder: StaticEmbedder,
    waiting: Waiting,
    progress: Progress,
    *,
    full: bool,
) -> tuple[Repository, RefreshReport]:
    repo = git.discover(root)
    identity = repo.common_dir if repo is not None and repo.root == root else root
    repository = registry.register(root, identity, name)
    if not full:
        return repository, refresh_repository(
            registry, repository, settings, embedder, waiting, progress
        )
    old = RepositoryFolder(registry.folder(repository))
    old.writer_lock.parent.mkdir(parents=True, exist_ok=True)
    with old.writing(timeout_s=waiting.timeout_s, on_wait=waiting.on_wait):
        fresh = registry.successor(repository)
        try:
            report = refresh_repository(registry, fresh, settings, embedder, waiting, progress)
        except BaseException:
            shutil.rmtree(registry.folder(fresh), ignore_errors=True)
            raise
        registry.replace(repository, fresh)
        shutil.rmtree(old.path, ignore_errors=True)
    return fresh, report


def _require_files(root: Path, survey: Survey) -> None:
    if not survey.files and survey.among is None:
        reasons = sorted({s.reason for s in survey.skipped})
        why = f" ({len(survey.skipped)} skipped: {', '.join(reasons)})" if reasons else ""
        raise NotARepository(
            f"{root} holds no text files to index{why}",
            hint="name a folder with source files, or see docs/skipped-files.md",
            value=str(root),
        )


def _summary(reports: list[tuple[Repository, RefreshReport]], seconds: float) -> IndexReport:
    return IndexReport(
        repos=[{"name": r.name, "sequence": report.sequence} for r, report in reports],
        added=sum(report.added for _, report in reports),
        changed=sum(report.changed for _, report in reports),
        removed=sum(report.removed for _, report in reports),
        unchanged=sum(report.unchanged for _, report in reports),
        skipped=sum(report.skipped for _, report in reports),
        seconds=round(seconds, 3),
        lines=sum(report.lines for _, report in reports),
    )
