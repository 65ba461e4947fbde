"""Search and answers in this process, without a server: composes journal, vectors and words."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from copy import copy
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from codeintel_rev.app.components import IndexEmbedder, components, load_embedder
from codeintel_rev.app.data_dir import FOLDER, data_dir_for_search
from codeintel_rev.app.held_back import held_back
from codeintel_rev.app.merged_search import OpenSearcher, search_views
from codeintel_rev.app.open_repositories import OpenRepositories
from codeintel_rev.app.repository import (
    OpenRepository,
    require_snapshots,
    size_on_disk,
)
from codeintel_rev.app.requests import (
    checked_limit,
    checked_line,
    checked_listed,
    checked_query,
    checked_scope,
)
from codeintel_rev.app.snapshot_choice import names_snapshots
from codeintel_rev.app.tolerant_embedder import TolerantEmbedder
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import (
    Busy,
    DeadlineExceeded,
    IndexDamaged,
    IndexForeign,
    IndexMissing,
    IndexUnusable,
    NotARepository,
    NotFound,
    StorageFailed,
    Unavailable,
)
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.registry import Registry, Repository
from codeintel_rev.ports import Embedder
from codeintel_rev.retrieval.hybrid import HybridSearcher
from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.types import Mode, Scope, SearchResult, StatusReport

if TYPE_CHECKING:
    from codeintel_rev.app.exhaustive import ExhaustiveSearcher
    from codeintel_rev.app.refreshing import Waiting
    from codeintel_rev.app.second_stage import SecondStage
    from codeintel_rev.app.stage_times import StageTimes
    from codeintel_rev.app.watch import BackgroundWatcher
    from codeintel_rev.indexing.pipeline import Progress
    from codeintel_rev.ports import SparseEncoder
    from codeintel_rev.types import AnswerEnvelope, AnswerEvent

_log = logging.getLogger(__name__)

REFRESH_WAIT_S = 2.0
"""A search waits this long for another writer, then serves what is there as ``stale_index``."""

WATCHER_WAIT_S = 0.3
"""A search waits this long for a watcher to index an edit, then does it itself."""


class LocalIndex:
    """An opened data directory; safe to share between threads, and a context manager."""

    def __init__(
        self,
        data_dir: Path,
        settings: Settings,
        *,
        limits: tuple[str, ...] = (),
        near: Path | None = None,
        embedder: IndexEmbedder | None = None,
        closes_embedder: bool = False,
    ) -> None:
        """Open every repository of ``data_dir``.

        Of the work trees of one repository, that around ``near`` is the one that is searched. An
        ``embedder`` that is given stays open, unless this index ``closes_embedder``.

        Raises ``IndexMissing``, ``IndexForeign`` or ``IndexDamaged`` when it cannot be served.
        """
        self.data_dir = data_dir
        self.settings = settings
        self.embedder = embedder or load_embedder(settings, data_dir)
        self._closes_embedder = closes_embedder or embedder is None
        self._limits = limits
        self._repositories = OpenRepositories(data_dir, near)
        self._names: frozenset[str] | None = None
        """Those that this view of the index has; ``None`` = all."""
        self._watcher: BackgroundWatcher | None = None
        self._exhaustive: ExhaustiveSearcher | None = None
        self._whole = self
        self._second_stage: SecondStage | None = None
        self._opening = Lock()
        try:
            self._second_stage = _second_stage(data_dir, settings)
            sparse = _sparse_encoder(settings)
            dim, wanted = self.embedder.dim, components(self.embedder)
            self._repositories.open(
                lambda repository, folder: OpenRepository(
                    repository, folder, dim, wanted, settings.bm25, sparse
                )
            )
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LocalIndex:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def restricted(self, names: Collection[str]) -> LocalIndex:
        """Return this index with only the repositories ``names``; it is open as long as this one."""
        restricted = copy(self)
        restricted._names = frozenset(names)  # noqa: SLF001  its own
        return restricted

    @property
    def _open(self) -> Mapping[str, OpenRepository]:
        """The repositories by name."""
        held = self._repositories.current()
        if self._names is None:
            return held
        return {name: opened for name, opened in held.items() if name in self._names}

    @property
    def opened(self) -> list[OpenRepository]:
        """The repositories as they are open, by name."""
        return list(self._open.values())

    def watch(self) -> None:
        """Index edits as they happen, in a thread of this process, until the index is closed.

        Where another process watches already, its commits are seen instead.
        """
        from codeintel_rev.app.watch import BackgroundWatcher

        if self._watcher is None:
            self._watcher = BackgroundWatcher(self.data_dir, self.settings, self.embedder)

    def close(self) -> None:
        """Release every file and connection, and stop watching."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._exhaustive is not None:
            self._exhaustive.close()
            self._exhaustive = None
        if self._second_stage is not None:
            self._second_stage.close()
        self._repositories.close()
        if self._closes_embedder:
            self.embedder.close()

    @property
    def repositories(self) -> list[Repository]:
        """The repositories that are open, by name."""
        return [opened.repository for opened in self._open.values()]

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        mode: Mode = "hybrid",
        scope: Scope | None = None,
        explain: bool = False,
        times: StageTimes | None = None,
    ) -> SearchResult:
        """Return the best ``limit`` hits over the repositories in scope.

        With ``times`` the result tells how long each stage took.

        Raises ``InvalidArgument`` for an unusable query, limit or scope. A scope that selects no file
        gives no hits and ``scope_empty`` in ``limits``; other words there say what else held the
        search back. Of a path or line that is not there, what resembles it is returned.
        """
        started = time.perf_counter()
        query = checked_query(query, self.settings.search.max_query_chars)
        limit = checked_limit(limit)
        scope = checked_scope(scope)
        parsed = parse_query(query)
        embedder = TolerantEmbedder(self.embedder)
        with ExitStack() as stack:
            opened = [
                stack.enter_context(repository.view(scope)) for repository in self.selected(scope)
            ]
            views = [view for view in opened if view is not None and view.channels.mask.any()]
            stage = self._second_stage if mode == "hybrid" and not parsed.location else None
            wanted = limit if stage is None else max(limit, stage.hits)
            hits = search_views(
                views, _searcher_opener(embedder, times), parsed, wanted, mode, explain=explain
            )
            limits = [*self._limits, *embedder.limits]
            if stage is not None:
                with nullcontext() if times is None else times.measured("rerank"):
                    hits, told_late = stage.order(query, hits)
                limits += told_late
            limits += held_back(parsed, mode, scope, opened)
        took_ms = (time.perf_counter() - started) * 1000
        told = tuple(dict.fromkeys(limits))
        stage_ms = {} if times is None else times.with_rest(took_ms)
        return SearchResult(query, tuple(hits[:limit]), told, round(took_ms, 3), stage_ms=stage_ms)

    def search_all(
        self,
        query: str,
        *,
        regex: bool = False,
        symbols: bool = False,
        case_sensitive: bool | None = None,
        limit: int | None = None,
        scope: Scope | None = None,
    ) -> SearchResult:
        """Return every line that holds ``query``, in the order of path and line, and their number.

        With ``regex`` the query is a regular expression in RE2 syntax, matched within a line. With
        ``symbols`` definitions are returned whose name matches, at the line of the name; a query
        with a dot is compared with the path of the definition. Case counts when the query has a
        capital letter, unless ``case_sensitive`` says. ``limit`` bounds what is listed, ``total``
        counts all.

        Raises ``InvalidArgument`` for an unusable query, limit or scope, ``DeadlineExceeded`` after
        ``DUCKDB_TIMEOUT_MS``.
        """
        from codeintel_rev.app.exhaustive import MAX_LISTED
        from codeintel_rev.retrieval.exhaustive import line_pattern

        started = time.perf_counter()
        query = checked_line(query, self.settings.search.max_query_chars)
        limit = checked_listed(limit, MAX_LISTED)
        scope = checked_scope(scope)
        pattern = line_pattern(query, regex=regex, case_sensitive=case_sensitive)
        found = self._exhaustive_searcher().search(
            self.selected(scope), pattern, limit, scope, symbols=symbols
        )
        limits = (*self._limits, *found.limits)
        took_ms = round((time.perf_counter() - started) * 1000, 3)
        return SearchResult(query, tuple(found.hits), limits, took_ms, found.total)

    def selected(self, scope: Scope | None) -> list[OpenRepository]:
        """Return the open repositories that ``scope`` names.

        Raises ``NotFound`` for a repository, a branch or a commit that is not there.
        """
        held = self._open
        if scope is None:
            return list(held.values())
        for name in scope.repos or ():
            if name not in held:
                raise NotFound(
                    f"there is no repository {name!r} in this index",
                    hint=f"known are: {', '.join(held)}",
                    value=name,
                )
        names = held if scope.repos is None else dict.fromkeys(scope.repos)
        found = [held[name] for name in names]
        if names_snapshots(scope):
            require_snapshots(found, scope)
        return found

    def related(
        self, path: str, line: int, *, limit: int = 10, scope: Scope | None = None
    ) -> SearchResult:
        """Return code like the chunk at a line of a file, best first, without that chunk.

        ``path`` is a whole path or its end, relative to its repository. Copies of one text are one
        hit, which names the others in ``locations``.

        Raises ``NotFound`` for a file or a line that is not indexed, ``InvalidArgument`` for a path
        that may be several files and for an unusable line, limit or scope.
        """
        from codeintel_rev.app.related import related_code

        found = related_code(self, path, line, limit, scope)
        return replace(found, limits=(*self._limits, *found.limits))

    def ask(
        self,
        question: str,
        *,
        limit: int = 10,
        scope: Scope | None = None,
        mode: Mode = "hybrid",
        budget_ms: int | None = None,
    ) -> AnswerEnvelope:
        """Return a whole answer; see ``ask_events`` for one that arrives piece by piece."""
        events = self.ask_events(question, limit=limit, scope=scope, mode=mode, budget_ms=budget_ms)
        for event in events:
            if event.envelope is not None:
                return event.envelope
        raise AssertionError("an answer ends with its envelope")

    def ask_events(
        self,
        question: str,
        *,
        limit: int = 10,
        scope: Scope | None = None,
        mode: Mode = "hybrid",
        budget_ms: int | None = None,
    ) -> Iterator[AnswerEvent]:
        """Yield an answer's events as they come; the last one holds the envelope."""
        from codeintel_rev.app.local_answers import answer_events

        question = checked_query(question, self.settings.answer.max_query_chars)
        yield from answer_events(self, question, limit, checked_scope(scope), mode, budget_ms)

    def status(self) -> StatusReport:
        """Return what the data directory holds, and how far it is behind."""
        from codeintel_rev.app.status import describe

        held = self.opened
        found = [describe(opened, self.settings, self.embedder) for opened in held]
        skipped: Counter[str] = Counter()
        for described in found:
            skipped.update(described.skipped)
        writers = (file_lock.holder(opened.folder.writer_lock) for opened in held)
        model = {"id": self.embedder.model_id, "dim": self.embedder.dim}
        return StatusReport(
            repos=[described.document for described in found],
            files=sum(described.files for described in found),
            chunks=sum(described.chunks for described in found),
            skipped=dict(skipped.most_common()),
            model=model | {"fingerprint": self.embedder.fingerprint},
            bytes=size_on_disk(self.data_dir),
            writer=next((who for who in writers if who), None),
            secrets=[secret for described in found for secret in described.secrets],
        )

    def _exhaustive_searcher(self) -> ExhaustiveSearcher:
        if self._whole is not self:
            return self._whole._exhaustive_searcher()  # noqa: SLF001  one for all its views
        from codeintel_rev.app.exhaustive import ExhaustiveSearcher

        with self._opening:
            if self._exhaustive is None:
                self._exhaustive = ExhaustiveSearcher(self.settings.duckdb)
            return self._exhaustive


def _sparse_encoder(settings: Settings) -> SparseEncoder | None:
    if settings.splade.model is None:
        return None
    from codeintel_rev.io.splade_encoder import SpladeEncoder

    return SpladeEncoder(settings.splade.model)


def _second_stage(data_dir: Path, settings: Settings) -> SecondStage | None:
    if settings.search.second_stage == "none":
        return None
    from codeintel_rev.app.second_stage import SecondStage

    return SecondStage.of(data_dir, settings)


def _searcher_opener(embedder: Embedder, times: StageTimes | None) -> OpenSearcher:
    if times is None:
        return lambda view: HybridSearcher(view.channels, embedder)
    timed = times.embedder(embedder)
    return lambda view: HybridSearcher(times.channels(view.channels), timed)


def open_index(
    path: Path | None = None,
    *,
    data_dir: Path | None = None,
    settings: Settings | None = None,
    refresh: bool = True,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> LocalIndex:
    """Open the index that serves ``path`` (or the current folder).

    With ``refresh`` a missing index is built first, and changed files are indexed.
    """
    settings = settings or load_settings()
    named = data_dir or settings.data_dir
    folder, root = data_dir_for_search(named, path, settings.data_home)
    limits: tuple[str, ...] = ()
    is_new = refresh and not _holds(folder, root)
    if is_new:
        from codeintel_rev.app.indexer import index_repositories

        index_repositories(
            [root], data_dir=folder, settings=settings, progress=progress, on_wait=on_wait
        )
    embedder = load_embedder(settings, folder)
    try:
        if refresh and not is_new:
            limits = _refresh(folder, settings, embedder, progress, on_wait)
        return LocalIndex(
            folder, settings, limits=limits, near=root, embedder=embedder, closes_embedder=True
        )
    except BaseException:
        embedder.close()
        raise


def _refresh(
    folder: Path,
    settings: Settings,
    embedder: IndexEmbedder,
    progress: Progress | None,
    on_wait: Callable[[str], None] | None,
) -> tuple[str, ...]:
    """Bring every repository up to date; returns ``stale_index`` when something was in the way.

    What is held already is served then. Raises what a first index raises.
    """
    from codeintel_rev.app.indexer import refresh_repository
    from codeintel_rev.app.places import present
    from codeintel_rev.app.refreshing import quiet

    limits: tuple[str, ...] = ()
    with ExitStack() as stack:
        registry = Registry(folder)
        stack.callback(registry.close)
        for repository in registry.repositories():
            waiting = _waiting(registry, repository, on_wait)
            try:
                if (here := present(registry, repository)) is None:
                    limits = ("stale_index",)
                    continue
                refresh_repository(registry, here, settings, embedder, waiting, progress or quiet)
            except (Busy, IndexForeign):  # of a foreign one, whoever opens it tells
                limits = ("stale_index",)
            except (IndexDamaged, NotARepository, Unavailable, DeadlineExceeded) as error:
                if waiting.timeout_s is None and not isinstance(error, StorageFailed):
                    raise
                _log.warning("%s (%s)", error.message, error.hint)
                limits = ("stale_index",)
    return limits


def _waiting(
    registry: Registry, repository: Repository, on_wait: Callable[[str], None] | None
) -> Waiting:
    """Return how long to wait for another writer: for its whole first index, as nothing serves."""
    from codeintel_rev.app.refreshing import Waiting

    folder = RepositoryFolder(registry.folder(repository))
    try:
        first = not folder.is_made or not folder.snapshots()
    except IndexUnusable:
        first = False
    return Waiting(None if first else REFRESH_WAIT_S, on_wait, WATCHER_WAIT_S)


def _holds(data_dir: Path, root: Path) -> bool:
    """Return whether what is searched from ``root`` is registered.

    Whoever began may have been killed before that, and a link to a data directory may have been
    copied with the folder that it lies in: the copy is a repository of its own.
    """
    try:
        with closing(Registry(data_dir)) as registry:
            known = [Path(repository.root) for repository in registry.repositories()]
    except IndexMissing:
        return False
    if any(root.is_relative_to(other) or other.is_relative_to(root) for other in known):
        return True
    is_copied = data_dir == root / FOLDER and any(
        place.is_symlink() for place in (data_dir, *(other / FOLDER for other in known))
    )
    return bool(known) and not is_copied
