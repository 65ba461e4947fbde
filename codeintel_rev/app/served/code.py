"""The code that one caller may see (``Code``)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, nullcontext
from dataclasses import dataclass, field
from typing import Any

from codeintel_rev.app import traces
from codeintel_rev.app.documents import answer_document, citation_document, search_document
from codeintel_rev.app.requests import checked_query, checked_scope
from codeintel_rev.app.served import files, history, references, symbols, text_search
from codeintel_rev.app.served.index import Repositories, ServedIndex
from codeintel_rev.app.served.paths import checked_path
from codeintel_rev.app.served.result_cache import Asked, states_of
from codeintel_rev.mcp_server.callers import QUERY, TRACE_ID
from codeintel_rev.mcp_server.ports import AnswerStep
from codeintel_rev.observability.answer_trace import new_trace_id
from codeintel_rev.types import AnswerEvent, Mode, Scope

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServedCode:
    """The repositories that somebody may see, each method being one use of the index."""

    served: ServedIndex
    repos: Repositories
    session: str | None = None
    """Told to the traces of answers."""
    notes: dict[str, str] = field(default_factory=dict, compare=False)
    """What the log is to say of the request."""
    place: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """Held while an answer is looked for; waits for its turn, and raises ``Busy``."""

    def search(
        self, query: str, *, limit: int, scope: Scope | None, mode: Mode, explain: bool
    ) -> Document:
        """Return the document of a search."""
        trace_id = self._named(query)
        with self.served.use(self.repos) as index:

            def find() -> Document:
                found = traces.search(
                    index,
                    lambda: self.served.traces,
                    query,
                    limit=limit,
                    mode=mode,
                    scope=scope,
                    explain=explain,
                    session_id=self.session,
                    trace_id=trace_id,
                )
                metrics = self.served.metrics
                metrics.backlog.put(
                    metrics.observe_search, found.took_ms, len(found.hits), found.limits
                )
                return search_document(found)

            if not self.served.results.enabled:
                return find()
            seen = None if self.repos is None else sorted(self.repos)
            states = states_of(index.opened)
            asked = Asked(query, limit, mode, explain, scope, seen, states)
            return self.served.results.result(asked, find)

    def related(self, path: str, line: int, *, limit: int, scope: Scope | None) -> Document:
        """Return code that is like that at ``path:line``."""
        path = checked_path(path)
        with self.served.use(self.repos) as index:
            return search_document(index.related(path, line, limit=limit, scope=scope))

    def search_text(
        self,
        query: str,
        *,
        regex: bool,
        case_sensitive: bool,
        paths: Sequence[str],
        scope: Scope | None,
        max_results: int,
    ) -> Document:
        """Return every line that holds a text or matches a regular expression, with a count."""
        with self.served.use(self.repos) as index:
            return text_search.search_text(
                index,
                query,
                regex=regex,
                case_sensitive=case_sensitive,
                paths=paths,
                scope=scope,
                max_results=max_results,
            )

    def repositories(self) -> Document:
        """Return the repositories, and what is indexed of each."""
        with self.served.use(self.repos) as index:
            return files.repositories(index)

    def list_paths(self, path: str, *, scope: Scope | None, max_results: int) -> Document:
        """Return the files at or below ``path``."""
        with self.served.use(self.repos) as index:
            return files.list_paths(index, path, scope, max_results)

    def open_file(
        self, path: str, *, start_line: int | None, end_line: int | None, scope: Scope | None
    ) -> Document:
        """Return lines of a file."""
        with self.served.use(self.repos) as index:
            return files.open_file(index, path, start_line, end_line, scope)

    def find_symbols(
        self, query: str, *, kind: str | None, scope: Scope | None, limit: int
    ) -> Document:
        """Return definitions whose name fits ``query``."""
        with self.served.use(self.repos) as index:
            return symbols.find_symbols(index, query, kind, scope, limit)

    def definition_at(
        self, path: str, line: int, character: int, *, scope: Scope | None
    ) -> Document:
        """Return where the name at a place is defined."""
        with self.served.use(self.repos) as index:
            return symbols.definition_at(index, path, line, character, scope)

    def references_at(
        self, path: str, line: int, character: int, *, scope: Scope | None
    ) -> Document:
        """Return where the name at a place is used."""
        with self.served.use(self.repos) as index:
            return references.references_at(index, path, line, character, scope)

    def blame(self, path: str, start_line: int, end_line: int, *, scope: Scope | None) -> Document:
        """Return the commit behind each line."""
        with self.served.use(self.repos) as index:
            return history.blame(index, path, start_line, end_line, scope)

    def file_history(self, path: str, *, limit: int, scope: Scope | None) -> Document:
        """Return the commits that changed a file, newest first."""
        with self.served.use(self.repos) as index:
            return history.file_history(index, path, limit, scope)

    async def answer(
        self,
        query: str,
        *,
        scope: Scope | None,
        top_k: int,
        rerank_top_n: int,
        time_budget_ms: float | None,
    ) -> AsyncGenerator[AnswerStep, None]:
        """Yield an answer's events; the last one is the envelope."""
        query = checked_query(query, self.served.settings.answer.max_query_chars)
        scope = checked_scope(scope)
        async with AsyncExitStack() as looking:
            await looking.enter_async_context(self.place())
            async with self.served.answering(self.repos) as orchestrator:
                events = orchestrator.answer(
                    query,
                    scope,
                    top_k=top_k,
                    rerank_top_n=rerank_top_n,
                    time_budget_ms=time_budget_ms,
                    session_id=self.session,
                    trace_id=self._named(query),
                )
                async with aclosing(events):
                    async for event in events:
                        # from the first event on a language model is at work, or all is done
                        await looking.aclose()
                        yield AnswerStep(event.type, _event_document(event))

    def _named(self, query: str) -> str:
        """Return a new trace id, which the reply and the log are to tell as well."""
        if self.served.settings.server.log_queries:
            self.notes[QUERY] = query
        self.notes[TRACE_ID] = new_trace_id()
        return self.notes[TRACE_ID]


def _event_document(event: AnswerEvent) -> Document:
    match event.type:
        case "token":
            return {"content": event.content}
        case "citation":
            assert event.citation is not None
            return citation_document(event.citation)
        case "envelope":
            assert event.envelope is not None
            return answer_document(event.envelope)
        case "trace":
            return event.trace or {}
        case "error":
            return dict(event.error or {})
