"""The catalogs of open repositories, each opened when it is first asked for."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.catalog_builder import DATABASE_FILE
from codeintel_rev.io.duckdb_catalog import DuckDBCatalog
from codeintel_rev.io.duckdb_manager import IN_MEMORY
from codeintel_rev.io.generation_lock import GenerationLock


class _Held(NamedTuple):
    """One generation's catalog, and what keeps its files from being deleted."""

    generation: int
    catalog: DuckDBCatalog
    lock: GenerationLock


class Catalogs:
    """Opens catalogs and keeps them open; safe to share between threads.

    A superseded one is let go, and closes itself when its last reader is done with it.
    """

    def __init__(self, settings: DuckDBConfig) -> None:
        self._settings = settings
        self._held: dict[RepositoryFolder, _Held] = {}
        self._lock = Lock()
        self.empty = DuckDBCatalog(IN_MEMORY, settings)
        """A catalog of nothing, for searching in what is handed to it."""

    def of(self, folder: RepositoryFolder, generation: int) -> DuckDBCatalog:
        """Return the catalog of a generation; the empty one when there is none.

        That is so before the first compaction, and when a newer generation has just superseded this
        one. Raises ``IndexMissing``, ``IndexDamaged``, ``IndexForeign`` or ``Busy``.
        """
        with self._lock:
            held = self._held.get(folder)
            if held is None or held.generation != generation:
                held = self._open(folder, generation)
                if held is None:
                    return self.empty
                self._held[folder] = held
            return held.catalog

    def close(self) -> None:
        """Close every catalog."""
        with self._lock:
            for held in self._held.values():
                held.catalog.close()
                held.lock.close()
            self._held.clear()
            self.empty.close()

    def _open(self, folder: RepositoryFolder, generation: int) -> _Held | None:
        if not generation:
            return None
        lock = GenerationLock.share(folder.generation_lock(generation))
        if lock is None:
            return None
        path = folder.catalog(generation) / DATABASE_FILE
        catalog = DuckDBCatalog(path, self._settings, read_only=True)
        return _Held(generation, catalog, lock)
