"""Bringing one snapshot of a repository up to date: a work tree, or a ref read through git."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app import compaction, surveyors
from codeintel_rev.app.components import CUT, IndexEmbedder, components
from codeintel_rev.app.data_dir import checked_root
from codeintel_rev.app.repairing import bring_up
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import NotARepository
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.indexing.file_source import DiskSource, FileSource
from codeintel_rev.indexing.pipeline import (
    Progress,
    Refresher,
    RefreshOptions,
    RefreshReport,
    unchanged,
)
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.indexing.survey import Survey
from codeintel_rev.io import lease
from codeintel_rev.io.git_objects import GitObjects, ResolvedRef
from codeintel_rev.io.registry import Registry, Repository

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


class Run(NamedTuple):
    """What the refreshes of one run share."""

    registry: Registry
    settings: Settings
    embedder: IndexEmbedder
    waiting: Waiting
    progress: Progress
    is_asked_for: bool = True
    """Whether a person asked for it, and not a search that looks for edits."""

    def folder(self, repository: Repository) -> RepositoryFolder:
        """Return where a repository's index lies, made when it is new, mended when it is older.

        Raises ``IndexForeign`` when newer components made it, as ``bring_up``.
        """
        folder = RepositoryFolder(self.registry.folder(repository))
        if not folder.is_made:
            folder.create(components(self.embedder))
        bring_up(self, repository, folder)
        return folder

    def refresh_tree(self, repository: Repository, ref: str, root: Path) -> RefreshReport:
        """Bring the snapshot ``ref`` of the work tree or folder ``root`` up to date.

        Takes no lock when nothing changed.
        """
        root = checked_root(root)
        surveyor = surveyors.take(root)
        try:
            folder = self.folder(repository)
            before, versions = folder.state(ref)
            suspects = None
            if before is not None and versions[CUT] == str(CHUNKER_VERSION):
                suspects = surveyor.suspects(before.tree_state)
            look = partial(
                surveyor.survey,
                max_file_bytes=self.settings.index.max_file_bytes,
                data_dir=self.registry.data_dir,
            )
            self.progress("scan", 0, 0, 0)
            survey = look(suspects)
            _require_files(str(root), survey)
            refresher = self._refresher(repository, folder, ref, DiskSource(root))
            if before is not None and refresher.is_current(survey):
                return unchanged(folder, ref)
            watched = lease.is_held(folder.refresher_lock)
            if watched and _comes(refresher, survey, self.waiting.watcher_s):
                return unchanged(folder, ref)
            with self.writing(folder):
                if folder.state(ref)[0] != before:  # another writer was faster
                    survey = look(None)
                report = refresher.refresh(survey, self.progress)
            self._compact_if_due(folder)
            return report
        finally:
            surveyor.close()

    def refresh_commit(
        self, repository: Repository, git_dir: Path, at: ResolvedRef
    ) -> RefreshReport:
        """Bring the snapshot of a ref to the commit where the ref stands; reads through git."""
        from codeintel_rev.indexing.git_tree import TreeSource, survey_tree

        folder = self.folder(repository)
        before, versions = folder.state(at.name)
        is_there = before is not None and before.commit == at.commit
        if is_there and versions[CUT] == str(CHUNKER_VERSION):
            return unchanged(folder, at.name)
        self.progress("scan", 0, 0, 0)
        objects = GitObjects(git_dir)
        survey = survey_tree(objects, at, max_file_bytes=self.settings.index.max_file_bytes)
        _require_files(at.label, survey)
        source = TreeSource(git_dir)
        try:
            with self.writing(folder):
                refresher = self._refresher(repository, folder, at.name, source)
                report = refresher.refresh(survey, self.progress)
            self._compact_if_due(folder)
            return report
        finally:
            source.close()

    def _compact_if_due(self, folder: RepositoryFolder) -> None:
        compaction.start_if_due(folder, self.registry.data_dir, self.settings.compaction)

    def writing(self, folder: RepositoryFolder) -> AbstractContextManager[None]:
        """Hold the repository's writer lock, waited for as this run may."""
        return folder.writing(timeout_s=self.waiting.timeout_s, on_wait=self.waiting.on_wait)

    def _refresher(
        self, repository: Repository, folder: RepositoryFolder, ref: str, source: FileSource
    ) -> Refresher:
        options = RefreshOptions(workers=self.settings.index.workers)
        embedder = self.embedder
        return Refresher(folder, repository.name, source, embedder, embedder.dim, options, ref)


def merged(reports: Iterable[RefreshReport]) -> RefreshReport:
    """Return what several refreshes of one repository did together."""
    total = RefreshReport(0)
    for report in reports:
        counts = (a + b for a, b in zip(total[1:], report[1:], strict=True))
        total = RefreshReport(max(total.sequence, report.sequence), *counts)
    return total


def _comes(refresher: Refresher, survey: Survey, timeout_s: float) -> bool:
    """Wait for a watcher to index what was surveyed; returns whether it did in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if refresher.holds(survey):
            return True
        time.sleep(_WATCHER_POLL_S)
    return False


def _require_files(place: str, survey: Survey) -> None:
    if not survey.files and survey.among is None:
        reasons = sorted({s.reason for s in survey.skipped})
        why = f" ({len(survey.skipped)} skipped: {', '.join(reasons)})" if reasons else ""
        raise NotARepository(
            f"{place} holds no text files to index{why}",
            hint="name a folder with source files, or see docs/skipped-files.md",
            value=place,
        )
