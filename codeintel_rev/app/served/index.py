"""The index that a server answers from: opened anew when its repositories change."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from codeintel_rev.answer.context import TraceSink
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.app.components import load_embedder
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.local_answers import LocalAnswerContext
from codeintel_rev.app.models import AnswerModels
from codeintel_rev.app.served.result_cache import ResultCache
from codeintel_rev.app.traces import tracer_of
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError
from codeintel_rev.io.registry import Signature, signature_of
from codeintel_rev.observability.metered_traces import MeteredTraces
from codeintel_rev.observability.metrics import Metrics
from codeintel_rev.ports import Clock

_log = logging.getLogger(__name__)

_TRY_AGAIN_S: Final = 1.0
"""Pause after an index could not be opened, while another process may be making it."""

Repositories = frozenset[str] | None
"""Names of the repositories that somebody may see; ``None`` = all."""


_KEPT_VIEWS: Final = 64
"""So many sets of repositories, each what some callers may see, are kept ready."""


@dataclass(slots=True)
class _Lent:
    """What answers questions, and how many use it; belongs to the event loop."""

    orchestrator: AnswerOrchestrator
    users: int = 0


class _Opened:
    """One opening of the data directory, and how many use it."""

    def __init__(
        self,
        index: LocalIndex,
        signature: Signature,
        traces: TraceSink | None = None,
        models: AnswerModels | None = None,
    ) -> None:
        self.index = index
        self._traces = traces
        self._models = models
        self.signature = signature
        self.users = 1  # whoever serves it
        self._views: dict[frozenset[str], LocalIndex] = {}
        self._orchestrators: dict[Repositories, _Lent] = {}

    def view(self, repos: Repositories) -> LocalIndex:
        if repos is None:
            return self.index
        view = self._views.get(repos)
        if view is None:
            if len(self._views) >= _KEPT_VIEWS:
                self._views.clear()
            view = self._views[repos] = self.index.restricted(repos)
        return view

    @contextmanager
    def orchestrator(self, repos: Repositories) -> Iterator[AnswerOrchestrator]:
        lent = self._orchestrators.pop(repos, None)
        if lent is None:
            context = LocalAnswerContext.of(self.view(repos), self._traces, self._models)
            lent = _Lent(AnswerOrchestrator(context))
        self._orchestrators[repos] = lent  # the last one, as it was used last
        lent.users += 1
        try:
            yield lent.orchestrator
        finally:
            lent.users -= 1
            self._forget_idle()

    def close(self) -> None:
        for lent in self._orchestrators.values():
            lent.orchestrator.close()
        self.index.close()

    def _forget_idle(self) -> None:
        """Let go of the threads of those who asked longest ago."""
        excess = max(0, len(self._orchestrators) - _KEPT_VIEWS)
        idle = [repos for repos, lent in self._orchestrators.items() if not lent.users]
        for repos in idle[:excess]:
            self._orchestrators.pop(repos).orchestrator.close()


class ServedIndex:
    """A data directory that is read for a long time; safe to share between threads.

    Commits are seen by every search anyway. When repositories come, go, or are rebuilt, the data
    directory is opened again, and the former opening is closed when its last user is done.
    """

    def __init__(
        self,
        data_dir: Path,
        settings: Settings,
        clock: Clock = time.monotonic,
        *,
        models: AnswerModels | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Load the embedding model; raises ``SettingsError`` when another one is configured.

        ``models`` help to answer, and are closed by whoever made them.
        """
        self.data_dir = data_dir
        self.settings = settings
        self._embedder = load_embedder(settings, data_dir)
        self.tracer = tracer_of(data_dir, settings.trace)
        """Writes the traces of answers and searches; ``None`` when they are off."""
        self.metrics = metrics or Metrics()
        self.traces = MeteredTraces(self.metrics, self.tracer)
        self.results = ResultCache(settings.server.result_cache)
        self._models = models
        self._clock = clock
        self._lock = Lock()
        self._opened: _Opened | None = None
        self._retry_at = 0.0

    @contextmanager
    def use(self, repos: Repositories = None) -> Iterator[LocalIndex]:
        """Open a view of the repositories that somebody may see.

        Raises ``IndexUnusable`` while there is none that can be served.
        """
        opened = self._acquire()
        try:
            yield opened.view(repos)
        finally:
            self._release(opened)

    @asynccontextmanager
    async def answering(self, repos: Repositories = None) -> AsyncIterator[AnswerOrchestrator]:
        """Open what answers questions about the repositories that somebody may see.

        Raises ``IndexUnusable`` while there is none that can be served.
        """
        acquiring = asyncio.ensure_future(asyncio.to_thread(self._acquire))
        try:
            opened = await asyncio.shield(acquiring)
        except asyncio.CancelledError:  # it is acquired all the same, and nobody else would release
            acquiring.add_done_callback(self._give_back)
            raise
        try:
            with opened.orchestrator(repos) as orchestrator:
                yield orchestrator
        finally:
            self._release(opened)

    def close(self) -> None:
        """Close the index when its last user is done, and write the traces that wait."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            self._release(opened)
        self._embedder.close()
        if self.tracer is not None:
            self.tracer.close()

    def _acquire(self) -> _Opened:
        replaced = None
        with self._lock:
            signature = signature_of(self.data_dir)
            opened = self._opened
            if opened is None or (
                opened.signature != signature and self._clock() >= self._retry_at
            ):
                replaced, opened = opened, self._open(signature)
                replaced = replaced if opened is not replaced else None
            opened.users += 1
        if replaced is not None:
            self._release(replaced)
        return opened

    def _give_back(self, acquired: asyncio.Future[_Opened]) -> None:
        if not acquired.cancelled() and acquired.exception() is None:
            self._release(acquired.result())

    def _open(self, signature: Signature) -> _Opened:
        """Return a new opening, or the present one when that fails."""
        try:
            index = LocalIndex(self.data_dir, self.settings, embedder=self._embedder)
        except CodeIntelError as error:
            self._retry_at = self._clock() + _TRY_AGAIN_S
            if self._opened is None:
                raise
            _log.warning("the index stays as it was opened before: %s", error)
            return self._opened
        self._retry_at = 0.0
        self._opened = _Opened(index, signature, self.traces, self._models)
        return self._opened

    def _release(self, opened: _Opened) -> None:
        with self._lock:
            opened.users -= 1
            done = opened.users == 0
        if done:
            opened.close()
