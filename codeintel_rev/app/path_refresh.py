"""Refreshing a few paths of one repository, as a watcher names them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from codeintel_rev.app import compaction
from codeintel_rev.app.components import IndexEmbedder, components, outdated
from codeintel_rev.app.data_dir import checked_root
from codeintel_rev.app.indexer import refresh_repository
from codeintel_rev.app.refreshing import Waiting, quiet
from codeintel_rev.config.settings import Settings
from codeintel_rev.indexing.file_source import DiskSource
from codeintel_rev.indexing.path_survey import survey_paths
from codeintel_rev.indexing.pipeline import Refresher, RefreshOptions, RefreshReport, unchanged
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.indexing.survey import Survey
from codeintel_rev.io.git_worktrees import ref_of_root
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.registry import Registry, Repository


def refresh_paths(
    registry: Registry,
    repository: Repository,
    settings: Settings,
    embedder: IndexEmbedder,
    root: Path,
    paths: Collection[str] | None,
) -> RefreshReport:
    """Index what changed at or below ``paths`` of the work tree ``root``.

    Where that cannot be told, and when ``paths`` is ``None``, all work trees of the repository are
    brought up to date. Waits for other writers.
    """
    root = checked_root(root)
    folder = RepositoryFolder(registry.folder(repository))
    if paths is not None:
        with folder.writing():
            survey = _survey(folder, root, registry.data_dir, settings, embedder, paths)
            if survey is not None:
                options = RefreshOptions(workers=settings.index.workers)
                source, ref = DiskSource(root), ref_of_root(root)
                refresher = Refresher(
                    folder, repository.name, source, embedder, embedder.dim, options, ref
                )
                if not survey.among or refresher.is_current(survey):
                    return unchanged(folder, ref)
                report = refresher.refresh(survey, quiet)
                compaction.start_if_due(folder, registry.data_dir, settings.compaction)
                return report
    return refresh_repository(registry, repository, settings, embedder, Waiting())


def _survey(
    folder: RepositoryFolder,
    root: Path,
    data_dir: Path,
    settings: Settings,
    embedder: IndexEmbedder,
    paths: Collection[str],
) -> Survey | None:
    """Look at the paths; ``None`` where the whole tree has to be looked at."""
    if not folder.is_made:
        return None
    journal = Journal(folder.journal)
    try:
        with journal.view() as view:
            if outdated(folder.path.name, view.meta(), components(embedder)):
                return None
            before = view.snapshot(ref_of_root(root))
            if before is None:
                return None
            limit = settings.index.max_file_bytes
            return survey_paths(root, view, before, paths, max_file_bytes=limit, data_dir=data_dir)
    finally:
        journal.close()
