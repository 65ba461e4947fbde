"""Indexing and refreshing the repositories of a data directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from codeintel_rev.app import leftovers
from codeintel_rev.app.compaction import start_if_due
from codeintel_rev.app.components import IndexEmbedder, load_embedder
from codeintel_rev.app.data_dir import checked_root, data_dir_for_index, ensure
from codeintel_rev.app.places import Place, find_place, mirrored_place
from codeintel_rev.app.refreshing import Run, Waiting, merged, quiet
from codeintel_rev.app.repairing import cut_anew
from codeintel_rev.app.snapshot_plan import Plan, Request, make_plan
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import IndexUnusable
from codeintel_rev.indexing.pipeline import Progress, RefreshReport
from codeintel_rev.indexing.store import RepositoryFolder, StoreWriter
from codeintel_rev.io.git_address import is_address
from codeintel_rev.io.git_objects import GitObjects
from codeintel_rev.io.git_worktrees import is_bare, is_worktree, ref_of_root, tree_roots
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.io.journal_migration import is_earlier, migrate
from codeintel_rev.io.registry import Registry, Repository
from codeintel_rev.types import IndexReport


def index_repositories(
    paths: Sequence[Path | str],
    *,
    data_dir: Path | None = None,
    name: str | None = None,
    refs: Sequence[str] = (),
    drop_refs: Sequence[str] = (),
    all_worktrees: bool = False,
    full: bool = False,
    wait: bool = True,
    settings: Settings | None = None,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> IndexReport:
    """Index or refresh ``paths`` and return what changed.

    Without ``refs`` the work tree is read and everything held is followed. ``refs`` are read
    through git, ``drop_refs`` are forgotten. ``full`` builds each index anew beside the old one,
    which serves until the new one is whole.

    Raises ``NotARepository`` for a path that holds nothing to index, ``NotFound`` for an unknown
    ref, and ``Busy`` when another process writes and ``wait`` is off.
    """
    settings = settings or load_settings()
    folder = data_dir_for_index(paths, data_dir, settings)
    started = time.perf_counter()
    waiting = Waiting(None if wait else 0.0, on_wait)
    places = [_place(path, folder, settings, waiting) for path in paths]
    ensure(folder)
    request = Request(refs, drop_refs, all_worktrees, full)
    with (
        closing(Registry(folder, create=True)) as registry,
        closing(load_embedder(settings, folder)) as embedder,
    ):
        leftovers.clear(registry)
        run = Run(registry, settings, embedder, waiting, progress or quiet)
        reports = [_index_one(run, place, name, request) for place in places]
    return _summary(reports, time.perf_counter() - started)


def refresh_repository(
    registry: Registry,
    repository: Repository,
    settings: Settings,
    embedder: IndexEmbedder,
    waiting: Waiting,
    progress: Progress = quiet,
) -> RefreshReport:
    """Bring the work trees of one registered repository up to date.

    Takes no lock when nothing changed. Refs are not followed: they move when ``index`` runs. Nor
    does the model change from or to a server's: raises ``IndexForeign``.
    """
    run = Run(registry, settings, embedder, waiting, progress, is_asked_for=False)
    folder = run.folder(repository)
    trees = work_trees(repository, folder)
    done = [run.refresh_tree(repository, ref, root) for ref, root in trees.items()]
    return merged([*done, *cut_anew(run, repository, folder)])


def work_trees(repository: Repository, folder: RepositoryFolder) -> dict[str, Path]:
    """Return the folders of the work trees to keep up to date, by the name of their snapshot."""
    root = Path(repository.root)
    own = ref_of_root(root)
    held = [snapshot.ref for snapshot in folder.snapshots()]
    if not held:
        return {} if is_bare(root) else {own: root}
    trees = [ref for ref in held if is_worktree(ref)]
    if trees in ([], [own]):
        return dict.fromkeys(trees, root)
    roots = tree_roots(root, repository.identity)
    return {ref: roots[ref] for ref in trees if ref in roots}


def _place(path: Path | str, data_dir: Path, settings: Settings, waiting: Waiting) -> Place:
    if is_address(str(path)):
        return mirrored_place(str(path), data_dir, settings.mirror, waiting.on_wait)
    return find_place(checked_root(Path(path)))


def _index_one(
    run: Run, place: Place, name: str | None, request: Request
) -> tuple[Repository, RefreshReport]:
    if not run.registry.knows(place.root, place.identity):
        make_plan(place, [], request)  # or a name that is mistyped would leave an empty repository
    repository = run.registry.register(place.root, place.identity, name, place.name)
    if request.full:
        repository, report = _build_anew(run, repository, place, request)
    else:
        report = _carry_out(run, repository, place, request)
    run.registry.set_default_ref(repository, _default_ref(repository, place, run))
    return repository, report


def _build_anew(
    run: Run, repository: Repository, place: Place, request: Request
) -> tuple[Repository, RefreshReport]:
    """Build the index beside the old one and put it in its place."""
    old = RepositoryFolder(run.registry.folder(repository))
    old.writer_lock.parent.mkdir(parents=True, exist_ok=True)
    with old.writing(timeout_s=run.waiting.timeout_s, on_wait=run.waiting.on_wait):
        with suppress(IndexUnusable):
            if old.is_made and is_earlier(old.journal):
                migrate(old.journal)  # or nobody knew which refs it held
        fresh = run.registry.successor(repository)
        try:
            report = _carry_out(run, fresh, place, request, held_in=old)
        except BaseException:
            shutil.rmtree(run.registry.folder(fresh), ignore_errors=True)
            raise
        run.registry.replace(repository, fresh)
        shutil.rmtree(old.path, ignore_errors=True)
    return fresh, report


def _carry_out(
    run: Run,
    repository: Repository,
    place: Place,
    request: Request,
    held_in: RepositoryFolder | None = None,
) -> RefreshReport:
    """Do what was asked of one repository; ``held_in`` is the index that it replaces, if any."""
    plan = make_plan(place, _held(held_in or run.folder(repository)), request)
    folder = run.folder(repository)
    done = list(_refreshes(run, repository, place, plan))
    again = cut_anew(run, repository, folder)  # the same files, mostly
    report = merged([*done, *(cut._replace(unchanged=0, skipped=0) for cut in again)])
    if plan.dropped and held_in is None:
        report = report._replace(sequence=_drop(run, folder, plan.dropped))
        start_if_due(folder, run.registry.data_dir, run.settings.compaction)
    return report


def _held(folder: RepositoryFolder) -> list[Snapshot]:
    """Return the snapshots of an index; none of one that is new, damaged or foreign."""
    try:
        return folder.snapshots() if folder.is_made else []
    except IndexUnusable:
        return []


def _refreshes(
    run: Run, repository: Repository, place: Place, plan: Plan
) -> Iterator[RefreshReport]:
    for ref, root in plan.trees.items():
        yield run.refresh_tree(repository, ref, root)
    for at in plan.commits:
        assert place.git_dir is not None
        yield run.refresh_commit(repository, place.git_dir, at)


def _drop(run: Run, folder: RepositoryFolder, refs: Sequence[str]) -> int:
    """Forget snapshots; their rows are freed at the next compaction."""
    sequence = 0
    with folder.writing(timeout_s=run.waiting.timeout_s, on_wait=run.waiting.on_wait):
        writer = StoreWriter(folder, run.embedder.dim, bulk=False)
        try:
            for ref in refs:
                sequence = writer.remove(ref)
        finally:
            writer.close()
    return sequence


def _default_ref(repository: Repository, place: Place, run: Run) -> str:
    """Return the snapshot for a search that names none: the work tree, else the default branch."""
    held = [snapshot.ref for snapshot in run.folder(repository).snapshots()]
    own = ref_of_root(Path(repository.root))
    trees = [ref for ref in held if is_worktree(ref)]
    if own in held or not held:
        return own
    if trees or place.git_dir is None:
        return (trees or held)[0]
    branch = GitObjects(place.git_dir).default_branch()
    return branch.name if branch is not None and branch.name in held else held[0]


def _summary(reports: Sequence[tuple[Repository, RefreshReport]], seconds: float) -> IndexReport:
    repos: list[dict[str, Any]] = [
        {"name": repository.name, "sequence": report.sequence} for repository, report in reports
    ]
    total = merged(report for _, report in reports)
    return IndexReport(
        repos=repos,
        added=total.added,
        changed=total.changed,
        removed=total.removed,
        unchanged=total.unchanged,
        skipped=total.skipped,
        seconds=round(seconds, 3),
        lines=total.lines,
    )
