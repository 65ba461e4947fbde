"""Making an index of earlier components this program's, each the cheapest way.

A journal of an earlier format is migrated in place. After a change of the tokenizer or the model,
words and vectors are made anew from the stored text, beside the old ones, which serve meanwhile.
After a change of the chunker, files are cut anew one by one (``cut_anew``); what comes out the
same keeps its row. Interrupted, each goes on at the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from codeintel_rev.app.components import CUT, MODEL, TERMS, check_components, components, outdated
from codeintel_rev.errors import NotFound, StorageFailed, Unavailable
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.indexing.pipeline import RefreshReport
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock, storage_failure
from codeintel_rev.io.git_objects import ResolvedRef
from codeintel_rev.io.git_worktrees import is_bare, is_worktree, tree_roots
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.io.journal_migration import is_earlier, migrate
from codeintel_rev.io.journal_writer import JournalWriter
from codeintel_rev.io.registry import Repository

if TYPE_CHECKING:
    from codeintel_rev.app.refreshing import Run

_log = logging.getLogger(__name__)


def bring_up(run: Run, repository: Repository, folder: RepositoryFolder) -> None:
    """Make what is stored this program's, but for how files are cut.

    Raises ``IndexForeign`` for an index of newer components, or of a server's model that nobody
    asked to change, and ``Busy`` when another process writes for longer than the run waits.
    """
    if is_earlier(folder.journal):
        with run.writing(folder):
            migrate(folder.journal)
    behind = _behind(run, repository, folder)
    if MODEL in behind and not run.is_asked_for:
        _check_model(run, repository, folder)
    if behind & TERMS:
        _rebuild(run, repository, folder)
    elif behind - {CUT}:
        with run.writing(folder):
            _record(folder, {key: components(run.embedder)[key] for key in behind - {CUT}})


def _check_model(run: Run, repository: Repository, folder: RepositoryFolder) -> None:
    """Raise ``IndexForeign`` where a server's work of hours would begin, or be replaced, unasked."""
    from codeintel_rev.app.models import is_of_server

    if not folder.snapshots():  # nothing is searched yet
        return
    found = folder.state()[1]
    former = str(found.get(MODEL))
    if run.settings.embedding.is_remote or is_of_server(run.registry.data_dir, former):
        check_components(repository.name, found, components(run.embedder))


def cut_anew(run: Run, repository: Repository, folder: RepositoryFolder) -> Iterator[RefreshReport]:
    """Cut again what an older chunker cut, snapshot by snapshot, and record that all of it is done.

    A snapshot whose files are gone stays as it was cut. Raises ``Busy`` as ``bring_up``; what was
    not done then is done by the next run.
    """
    if CUT not in _behind(run, repository, folder):
        return
    for snapshot in folder.snapshots():
        try:
            yield from _cut_snapshot(run, repository, snapshot)
        except (NotFound, Unavailable) as error:
            if isinstance(error, StorageFailed):
                raise
            _log.warning("%s stays as it was cut: %s", snapshot.ref, error.message)
    with run.writing(folder):
        _record(folder, {CUT: str(CHUNKER_VERSION)})


def _cut_snapshot(run: Run, repository: Repository, snapshot: Snapshot) -> Iterator[RefreshReport]:
    root = Path(repository.root)
    if is_worktree(snapshot.ref):
        tree = tree_roots(root, repository.identity).get(snapshot.ref)
        if tree is not None:
            yield run.refresh_tree(repository, snapshot.ref, tree)
    elif snapshot.commit is not None:
        git_dir = root if is_bare(root) else Path(repository.identity)
        yield run.refresh_commit(repository, git_dir, ResolvedRef(snapshot.ref, snapshot.commit))


def _behind(run: Run, repository: Repository, folder: RepositoryFolder) -> frozenset[str]:
    return outdated(repository.name, folder.state()[1], components(run.embedder))


def _rebuild(run: Run, repository: Repository, folder: RepositoryFolder) -> None:
    """Make words and vectors anew; nobody may add rows of the old kind meanwhile.

    Further indexes wait for the next compaction, which does not keep writers out.
    """
    from codeintel_rev.indexing.compactor import Compactor

    waiting = run.waiting
    with (
        storage_failure.explained(folder.path),
        file_lock.hold(
            folder.compactor_lock,
            timeout_s=waiting.timeout_s,
            on_wait=waiting.on_wait,
            doing="compacted",
        ),
        run.writing(folder),
    ):
        behind = _behind(run, repository, folder)
        if not behind & TERMS:  # another process was faster
            return
        wanted = components(run.embedder)
        compactor = Compactor(
            folder,
            repository.name,
            run.embedder.dim,
            nullcontext,
            embedder=run.embedder,
            afresh=True,
            materialize=run.settings.duckdb.materialize,
            versions={key: wanted[key] for key in behind - {CUT}},
        )
        compactor.run(_told(run))


def _told(run: Run) -> Callable[[int, int], None]:
    return lambda done, total: run.progress("reembed", done, total, 0)


def _record(folder: RepositoryFolder, versions: dict[str, str]) -> None:
    writer = JournalWriter(folder.journal)
    try:
        with writer.transaction():
            writer.record_versions(versions)
            if CUT in versions:
                writer.forget_cuts(CHUNKER_VERSION)
    finally:
        writer.close()
