"""Exhaustive search: every line that matches, or every definition whose name does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from codeintel_rev.app.catalogs import Catalogs
from codeintel_rev.app.definition_search import DefinitionSearch
from codeintel_rev.app.held_back import EMPTY, LEFT_OUT
from codeintel_rev.app.line_search import FoundHits, LineSearch
from codeintel_rev.app.repository import OpenRepository, RepositoryView
from codeintel_rev.cancellation import is_cancelled
from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.errors import DeadlineExceeded
from codeintel_rev.types import LinePattern, Scope, SearchHit

MAX_LISTED = 100_000
"""The most hits that one search lists; it counts them all."""


class Exhausted(NamedTuple):
    """What an exhaustive search found."""

    hits: list[SearchHit]
    """The first ones by repository, path and line."""
    total: int
    limits: tuple[str, ...]
    """What held the search back."""


class Deadline:
    """When one search has to be done, however many queries it makes."""

    def __init__(self, timeout_ms: float) -> None:
        self._timeout_ms = timeout_ms
        self._end_s = time.monotonic() + timeout_ms / 1000

    def left_s(self) -> float:
        """Return the seconds that are left.

        Raises ``DeadlineExceeded`` when there are none, or nobody waits any more.
        """
        left = self._end_s - time.monotonic()
        if left <= 0 or is_cancelled():
            raise self.exceeded()
        return left

    def exceeded(self) -> DeadlineExceeded:
        """Return the error that tells the whole time, not that of the query that used it up."""
        return DeadlineExceeded(
            f"the search took longer than {self._timeout_ms:,.0f} ms",
            hint="narrow it by --include, --lang or --repo-name, or raise DUCKDB_TIMEOUT_MS",
            value=str(self._timeout_ms),
        )


class ExhaustiveSearcher:
    """Searches whole repositories; safe to share between threads."""

    def __init__(self, settings: DuckDBConfig) -> None:
        self._settings = settings
        self._catalogs = Catalogs(settings)

    def close(self) -> None:
        """Close every catalog."""
        self._catalogs.close()

    def search(
        self,
        repositories: Sequence[OpenRepository],
        pattern: LinePattern,
        limit: int,
        scope: Scope | None,
        *,
        symbols: bool = False,
    ) -> Exhausted:
        """Find the lines that match, or the definitions whose name does; list the first ``limit``.

        Raises ``InvalidArgument`` for a regular expression that cannot be read, and
        ``DeadlineExceeded``.
        """
        deadline = Deadline(self._settings.timeout_ms)
        self._catalogs.empty.check(pattern)
        hits: list[SearchHit] = []
        total = 0
        in_scope = False
        limits: tuple[str, ...] = ()
        for opened in repositories:
            with opened.view(scope) as view:
                if view is None or not view.channels.mask.any():
                    continue
                in_scope = True
                try:
                    found = self._search(
                        opened, view, pattern, limit - len(hits), scope, deadline, symbols=symbols
                    )
                except DeadlineExceeded as error:
                    raise deadline.exceeded() from error
                hits += found.hits
                total += found.total
                limits += (LEFT_OUT,) if view.catalog.has_left_out else ()
        return Exhausted(hits, total, tuple(dict.fromkeys(limits)) if in_scope else (EMPTY,))

    def _search(
        self,
        opened: OpenRepository,
        view: RepositoryView,
        pattern: LinePattern,
        limit: int,
        scope: Scope | None,
        deadline: Deadline,
        *,
        symbols: bool,
    ) -> FoundHits:
        parts = (view, self._catalogs.empty, pattern, scope, deadline.left_s)
        if symbols:
            return DefinitionSearch(*parts).run(limit)
        open_catalog = partial(self._catalogs.of, opened.folder, view.generation)
        return LineSearch(*parts).run(open_catalog, limit)
