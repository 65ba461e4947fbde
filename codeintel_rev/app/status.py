"""What an index holds of a repository, and how far it is behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from codeintel_rev.app.components import IndexEmbedder
from codeintel_rev.app.repository import OpenRepository, tree_root
from codeintel_rev.app.snapshot_choice import choose, label
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError
from codeintel_rev.indexing.file_source import DiskSource
from codeintel_rev.indexing.pipeline import Refresher, RefreshOptions
from codeintel_rev.indexing.survey import Surveyor
from codeintel_rev.io import git
from codeintel_rev.io.git_objects import GitObjects
from codeintel_rev.io.git_worktrees import is_bare, is_worktree
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.io.registry import Repository


class Description(NamedTuple):
    """One repository of an index."""

    document: dict[str, Any]
    files: int
    chunks: int
    skipped: dict[str, int]
    secrets: list[dict[str, Any]]


class Lag(NamedTuple):
    """How far a snapshot is behind what it is of; ``None`` where that cannot be told."""

    behind: int | None
    """Commits."""
    changed_files: int | None
    """Files of a work tree that were added, edited or removed since."""


def describe(opened: OpenRepository, settings: Settings, embedder: IndexEmbedder) -> Description:
    """Compare every snapshot of a repository with where its work tree or ref stands now."""
    held = opened.snapshots()
    usual = choose(held, opened.repository.default_ref, None)
    refs = [
        {
            "name": snapshot.ref,
            "ref": label(snapshot),
            "commit": snapshot.commit,
            **_lag(opened, snapshot, settings, embedder)._asdict(),
            "default": snapshot in usual,
        }
        for snapshot in held
    ]
    with opened.view() as view:
        if view is None:
            return Description(_document(opened.repository, 0, 0, refs), 0, 0, {}, [])
        files, skipped = view.catalog.counts()
        document = _document(opened.repository, view.sequence, view.generation, refs)
        secrets = [
            {"repo": opened.repository.name, "uri": path, "line": line, "kind": kind}
            for path, line, kind in view.catalog.secrets()
        ]
        return Description(document, files, int(view.live.sum()), skipped, secrets)


def _document(
    repository: Repository, sequence: int, generation: int, refs: list[dict[str, Any]]
) -> dict[str, Any]:
    own = next((ref for ref in refs if ref["default"]), {})
    facts = ("ref", "commit", "behind", "changed_files")
    return {
        "name": repository.name,
        **{fact: own.get(fact) for fact in facts},
        "sequence": sequence,
        "generation": generation,
        "refs": refs,
    }


def _lag(
    opened: OpenRepository, snapshot: Snapshot, settings: Settings, embedder: IndexEmbedder
) -> Lag:
    try:
        if not is_worktree(snapshot.ref):
            return Lag(_commits_behind(_git_dir(opened.repository), snapshot), None)
        root = tree_root(opened.repository, snapshot.ref)
        if root is None or not root.is_dir():
            return Lag(None, None)
        return _tree_lag(opened, snapshot, root, settings, embedder)
    except CodeIntelError:
        return Lag(None, None)


def _git_dir(repository: Repository) -> Path:
    root = Path(repository.root)
    return root if is_bare(root) else Path(repository.identity)


def _commits_behind(git_dir: Path, snapshot: Snapshot) -> int | None:
    objects = GitObjects(git_dir)
    now = objects.resolve(snapshot.ref).commit
    return objects.commits_between(snapshot.commit or now, now)


def _tree_lag(
    opened: OpenRepository,
    snapshot: Snapshot,
    root: Path,
    settings: Settings,
    embedder: IndexEmbedder,
) -> Lag:
    surveyor = Surveyor(root)
    try:
        survey = surveyor.survey(
            surveyor.suspects(snapshot.tree_state),
            max_file_bytes=settings.index.max_file_bytes,
            data_dir=opened.folder.path.parent.parent,
        )
    finally:
        surveyor.close()
    refresher = Refresher(
        *(opened.folder, opened.repository.name, DiskSource(root), embedder, embedder.dim),
        RefreshOptions(),
        snapshot.ref,
    )
    repo, commit = git.locate(root), survey.head[1]
    behind = None
    if repo is not None and commit is not None and snapshot.commit is not None:
        behind = GitObjects(repo.common_dir).commits_between(snapshot.commit, commit)
    return Lag(behind, refresher.changed_files(survey))
