"""The repositories of a data directory, held open for searching."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from threading import Lock

from codeintel_rev.app.repository import OpenRepository
from codeintel_rev.errors import CodeIntelError, IndexMissing
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.registry import Registry, Repository, Signature, signature_of

Opening = Callable[[Repository, RepositoryFolder], OpenRepository]

_log = logging.getLogger(__name__)


class OpenRepositories:
    """What is registered, as it is open; safe to share between threads.

    Commits are seen by every search anyway. A repository that another process rebuilt, added or
    removed is noticed by the registry, which changes with it.
    """

    def __init__(self, data_dir: Path, near: Path | None) -> None:
        """Hold nothing yet; of the work trees of one repository, that around ``near`` is searched."""
        self._data_dir = data_dir
        self._near = near
        self._lock = Lock()
        self._registered: dict[str, Repository] = {}
        self._open: dict[str, OpenRepository] = {}
        self._signature: Signature | None = None
        self._opening: Opening | None = None

    def open(self, opening: Opening) -> None:
        """Open every repository, now and later by ``opening``.

        Raises ``IndexMissing``, ``IndexForeign`` or ``IndexDamaged`` when one cannot be served.
        """
        self._opening, self._signature = opening, signature_of(self._data_dir)
        with closing(Registry(self._data_dir)) as registry:
            for repository in registry.repositories():
                self._registered[repository.name] = repository
                self._open[repository.name] = self._opened(registry, repository)

    def current(self) -> Mapping[str, OpenRepository]:
        """Return the open repositories by name, in the order of their names."""
        seen = signature_of(self._data_dir)
        if seen != self._signature:
            with self._lock:
                if seen != self._signature:
                    self._renew(seen)
        return self._open

    def close(self) -> None:
        """Release every file and connection."""
        for opened in self._open.values():
            opened.close()

    def _renew(self, seen: Signature) -> None:
        """Open what came or was rebuilt, and let go what is gone; what cannot be opened stays."""
        former, self._signature = self._open, seen
        failed: set[str] = set()
        try:
            with closing(Registry(self._data_dir)) as registry:
                known = {repository.name: repository for repository in registry.repositories()}
                found = {name: self._again(registry, known[name], failed) for name in known}
        except CodeIntelError as error:
            _log.warning("the index stays as it was opened before: %s", error)
            return
        self._registered = {name: known[name] for name in known if name not in failed}
        self._open = {name: opened for name, opened in found.items() if opened is not None}
        for opened in former.values():
            if opened not in self._open.values():
                opened.close()

    def _again(
        self, registry: Registry, repository: Repository, failed: set[str]
    ) -> OpenRepository | None:
        """Return a repository as it is now; ``None`` while nothing of a new one is indexed.

        One that cannot be opened stays as it was, and is tried again at the next change.
        """
        present = self._open.get(repository.name)
        if present is not None and self._registered.get(repository.name) == repository:
            return present
        try:
            return self._opened(registry, repository)
        except IndexMissing:
            self._signature = None  # look again at the next search
            return present
        except CodeIntelError as error:  # the others are seen as they are now
            _log.warning("%s stays as it was opened before: %s", repository.name, error)
            failed.add(repository.name)
            return present

    def _opened(self, registry: Registry, repository: Repository) -> OpenRepository:
        assert self._opening is not None
        opened = self._opening(repository, RepositoryFolder(registry.folder(repository)))
        if self._near is not None:
            opened.prefer(self._near)
        return opened
