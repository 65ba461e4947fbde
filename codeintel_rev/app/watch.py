"""Keeping an index up to date while its files are edited."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from codeintel_rev.app.components import IndexEmbedder, load_embedder
from codeintel_rev.app.file_events import RECHECK_MS, RETRY_MS, batches
from codeintel_rev.app.indexer import work_trees
from codeintel_rev.app.path_refresh import refresh_paths
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import Busy, CodeIntelError
from codeintel_rev.indexing.pipeline import RefreshReport
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import git, lease
from codeintel_rev.io.registry import Registry, Repository

_log = logging.getLogger(__name__)

_HEAD_FILES = ("HEAD", "index", "logs/HEAD")
"""Files of git of which at least one changes with what is checked out."""


class Update(NamedTuple):
    """One repository brought up to date."""

    repo: str
    report: RefreshReport
    seconds: float


class Watched(NamedTuple):
    """Which events concern one work tree of a repository."""

    name: str
    """The repository's."""
    root: Path
    data_dir: Path
    head: frozenset[Path]
    """Files of git that change when another commit or another index is checked out."""

    @property
    def folders(self) -> set[Path]:
        """The folders whose events matter."""
        outside = {path.parent for path in self.head if not path.is_relative_to(self.root)}
        return {self.root, *filter(Path.is_dir, outside)}

    def paths(self, batch: Iterable[Path]) -> frozenset[str] | None:
        """Return which paths of the tree a batch names; ``None`` when it may be any."""
        found = set()
        for path in batch:
            if path in self.head or path == self.root:
                return None
            if path.is_relative_to(self.root) and not path.is_relative_to(self.data_dir):
                inner = path.relative_to(self.root)
                if ".git" not in inner.parts[:-1]:
                    found.add(inner.as_posix())
        return frozenset(found)


class Watcher:
    """Watches every repository of a data directory, and holds the refresher lease of each."""

    def __init__(
        self, data_dir: Path, settings: Settings, embedder: IndexEmbedder | None = None
    ) -> None:
        """Take the leases.

        Raises ``IndexMissing`` where there is no index and ``Busy`` when another watcher is at work.
        """
        self._data_dir = data_dir
        self._settings = settings
        self._embedder = embedder or load_embedder(settings, data_dir)
        self._failed: set[str] = set()
        self._held: dict[str, str] = {}
        with ExitStack() as stack:
            if embedder is None:
                stack.callback(self._embedder.close)
            self._registry = Registry(data_dir)
            stack.callback(self._registry.close)
            self._leases = stack.enter_context(ExitStack())
            for repository in self._registry.repositories():
                self._hold(repository)
            self._opened = stack.pop_all()

    def close(self) -> None:
        """Give the leases back."""
        self._opened.close()

    def run(
        self,
        stop: Event,
        on_update: Callable[[Update], None],
        on_problem: Callable[[str, CodeIntelError], None],
    ) -> None:
        """Index edits as they come until ``stop`` is set; raises ``KeyboardInterrupt`` on Ctrl-C.

        A repository that cannot be indexed is told to ``on_problem`` and tried again, whole, at
        the next event or a few seconds later.
        """
        watched = [tree for found in self._registry.repositories() for tree in self._trees(found)]
        folders = sorted({folder for one in watched for folder in one.folders})
        for batch in batches(folders, self._settings.watch, stop, self._idle_ms):
            for one in watched:
                paths = None if batch is None else one.paths(batch)
                if paths is None or paths:
                    self._refresh(one, paths, on_update, on_problem)

    def _idle_ms(self) -> int:
        return RETRY_MS if self._failed else RECHECK_MS

    def _refresh(
        self,
        tree: Watched,
        paths: frozenset[str] | None,
        on_update: Callable[[Update], None],
        on_problem: Callable[[str, CodeIntelError], None],
    ) -> None:
        started = time.perf_counter()
        name = tree.name
        try:
            # a rebuild gives a repository a new folder, so that it is looked up each time
            found = (r for r in self._registry.repositories() if r.name == name)
            if (repository := next(found, None)) is None:
                return
            self._hold(repository)
            paths = None if name in self._failed else paths
            report = refresh_paths(
                self._registry, repository, self._settings, self._embedder, tree.root, paths
            )
        except CodeIntelError as error:
            if name not in self._failed:
                on_problem(name, error)
            self._failed.add(name)
            return
        self._failed.discard(name)
        if report.added or report.changed or report.removed:
            on_update(Update(name, report, time.perf_counter() - started))

    def _hold(self, repository: Repository) -> None:
        if self._held.get(repository.name) != repository.key:
            folder = RepositoryFolder(self._registry.folder(repository))
            self._leases.enter_context(lease.hold(folder.refresher_lock))
            self._held[repository.name] = repository.key

    def _trees(self, repository: Repository) -> Iterator[Watched]:
        folder = RepositoryFolder(self._registry.folder(repository))
        if not folder.is_made:
            return
        for root in work_trees(repository, folder).values():
            repo = git.locate(root)
            git_dir = [] if repo is None else [repo.git_dir]
            head = frozenset(parent / name for parent in git_dir for name in _HEAD_FILES)
            yield Watched(repository.name, root, self._data_dir, head)


class BackgroundWatcher:
    """A watcher in a thread of this process."""

    def __init__(self, data_dir: Path, settings: Settings, embedder: IndexEmbedder) -> None:
        """Start watching, unless another process does already; raises ``IndexMissing``."""
        self._stop = Event()
        self._thread: Thread | None = None
        with suppress(Busy):
            watcher = Watcher(data_dir, settings, embedder)
            self._thread = Thread(target=self._run, args=(watcher,), name="watcher", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop watching; waits for a commit that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, watcher: Watcher) -> None:
        try:
            watcher.run(self._stop, lambda update: None, _log_problem)
        finally:
            watcher.close()


def _log_problem(repo: str, error: CodeIntelError) -> None:
    _log.warning("%s cannot be brought up to date: %s", repo, error)
