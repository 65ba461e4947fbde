"""DuckDB connections: one root a database file, a cursor a query.

Thread safety: a ``DuckDBManager`` may be shared by any number of threads. Each ``connection()`` is a
cursor of its own, with its own transaction, result and registered tables; it must stay in the block,
and in one thread at a time. What belongs to the file is shared by all cursors, and by every manager
of the same file in the process: its threads, its memory limit, its caches.

Between processes a file has any number of readers, or one writer and nobody else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final, cast

import duckdb

from codeintel_rev.cancellation import interruptible
from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.io.catalog_builder import create_chunks
from codeintel_rev.io.duckdb_errors import explained
from codeintel_rev.io.duckdb_query_builder import DuckDBQueryBuilder
from codeintel_rev.io.search_path import search_path

__all__ = ["IN_MEMORY", "DuckDBManager", "DuckDBQueryBuilder"]

IN_MEMORY: Final = ":memory:"
"""A database without a file, that holds no chunks."""

_log = logging.getLogger(__name__)

_INTERRUPT_AGAIN_S = 0.05
"""An interrupt that falls between two statements is lost, so it is repeated."""

_making_schema = Lock()
"""Two threads that make the same view at once collide."""


class DuckDBManager:
    """Hands out configured connections to one database; close it, or use it in a ``with``."""

    def __init__(
        self, db_path: Path | str, settings: DuckDBConfig, *, read_only: bool | None = None
    ) -> None:
        """Open a database with the view or table ``chunks``.

        With ``read_only=None`` an existing file is opened for reading; a missing one is made, and
        stays open for writing in this process. A view reads the ``chunks.parquet`` beside the file, wherever the
        folder has been moved to; without that file ``chunks`` is an empty table.

        Raises ``IndexMissing``, ``IndexDamaged``, ``IndexForeign`` or ``Busy`` for a file that
        cannot be served.
        """
        self.path = db_path
        self.settings = settings
        self._idle: list[duckdb.DuckDBPyConnection] = []
        with explained(db_path, sound=True):
            self._root, self.read_only = _open(db_path, read_only)
            try:
                self._configure()
                self._ensure_schema()
            except BaseException:
                self._root.close()
                raise

    def __enter__(self) -> DuckDBManager:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; those still in use fail at their next statement."""
        self._idle.clear()
        self._root.close()

    @contextmanager
    def connection(self, *, timeout_s: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection for a block, in which results have to be fetched too.

        With ``timeout_s`` it is interrupted after that time, or as soon as nobody waits for it.

        Raises ``DeadlineExceeded`` when it was, and what ``explained`` makes of DuckDB's errors; those
        about a faulty statement pass as they are.
        """
        connection = self._take()
        kept = False
        try:
            with (
                explained(self.path),
                _deadline(connection, timeout_s),
                self._logged(connection) as lent,
            ):
                yield lent
            connection.abort()  # what was not fetched
            kept = len(self._idle) < self.settings.pool_size
        finally:
            if kept:
                self._idle.append(connection)
            else:
                connection.close()

    def _take(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._idle.pop()
        except IndexError:
            with explained(self.path):
                return self._root.cursor()

    @contextmanager
    def _logged(self, connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.settings.log_queries:
            yield connection
            return
        logged = _LoggedConnection(connection)
        try:
            yield cast(duckdb.DuckDBPyConnection, logged)
        finally:
            logged.log()

    def _configure(self) -> None:
        run = self._root.execute
        run(f"SET threads = {self.settings.threads:d}")
        run(f"SET memory_limit = '{self.settings.memory_limit_mb:d}MB'")
        run("SET autoinstall_known_extensions = false")
        if self.settings.object_cache:
            # the pragma is accepted and does nothing any more; the setting is what it once did
            run("PRAGMA enable_object_cache")
            run("SET GLOBAL parquet_metadata_cache = true")
        if self.read_only or self._folder is None:
            run("SET temp_directory = ''")
        if self._folder is not None:
            # without GLOBAL it is the root's alone
            run("SET GLOBAL file_search_path = ?", [search_path(self._folder)])

    def _ensure_schema(self) -> None:
        """Make ``chunks`` unless the file has it, and check that it has."""
        if not self.read_only:
            with _making_schema:
                create_chunks(self._root, self._folder, materialize=self.settings.materialize)
        self._root.execute("SELECT row FROM chunks LIMIT 0")

    @property
    def _folder(self) -> Path | None:
        return None if str(self.path) == IN_MEMORY else Path(self.path).parent


class _LoggedConnection:
    """A connection that logs each statement and its time, and nobody's values.

    A result is computed while it is fetched, so that counts too.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._query = ""
        self._took_s = 0.0

    def execute(self, query: str, parameters: object = None) -> _LoggedConnection:
        """Run a statement as the connection itself would."""
        self.log()
        self._query = query
        self._timed(self._connection.execute)(query, parameters)
        return self

    def log(self) -> None:
        """Log the last statement, now that nothing more is fetched of it."""
        if self._query:
            _log.debug("%.1f ms: %s", self._took_s * 1000, " ".join(self._query.split()))
        self._query, self._took_s = "", 0.0

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def timed(*args: object, **options: object) -> Any:
            started = time.perf_counter()
            try:
                return call(*args, **options)
            finally:
                self._took_s += time.perf_counter() - started

        return timed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        return self._timed(found) if name.startswith("fetch") else found


@contextmanager
def _deadline(connection: duckdb.DuckDBPyConnection, timeout_s: float | None) -> Iterator[None]:
    """Interrupt what ``connection`` runs after ``timeout_s`` or when that is cancelled.

    It goes on until the block ends.
    """
    if timeout_s is None:
        yield
        return
    wake, done = Event(), Event()

    def interrupt() -> None:
        wake.wait(timeout_s)
        while not done.is_set():
            connection.interrupt()
            done.wait(_INTERRUPT_AGAIN_S)

    watch = Thread(target=interrupt, name="duckdb-deadline", daemon=True)
    watch.start()
    try:
        with interruptible(wake.set):
            yield
    finally:
        done.set()
        wake.set()
        watch.join()


def _open(path: Path | str, read_only: bool | None) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Return a connection, and whether it only reads."""
    if read_only is not None:
        return duckdb.connect(str(path), read_only=read_only), read_only
    if str(path) != IN_MEMORY and Path(path).exists():
        with suppress(duckdb.ConnectionException):  # this process has it open for writing
            return duckdb.connect(str(path), read_only=True), True
    return duckdb.connect(str(path)), False
