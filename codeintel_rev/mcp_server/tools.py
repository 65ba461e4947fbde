"""The tools as a model sees them: each docstring says when to call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, cast

from pydantic import Field

from codeintel_rev.mcp_server import arguments as arg
from codeintel_rev.mcp_server import progress, schemas
from codeintel_rev.mcp_server.adapters import (
    answers,
    files,
    history,
    semantic,
    symbols,
    text_search,
)
from codeintel_rev.mcp_server.callers import TRACE_ID, Caller
from codeintel_rev.mcp_server.ports import ServerContext
from codeintel_rev.mcp_server.replies import META
from codeintel_rev.mcp_server.scopes import joined, with_repo
from codeintel_rev.types import Scope

TRACE: Final = "codeintel/trace"
"""Where a result's `_meta` holds how the answer came to be."""

NAME: Final = "codeintel/trace_id"
"""Where it holds the name of what the log and the traces tell of a search or an answer."""


class Tools:
    """Every tool, bound to the program that it asks and to who is calling."""

    def __init__(self, context: ServerContext, who: Callable[[], Caller]) -> None:
        """Ask ``who`` at each call."""
        self._context = context
        self._who = who

    async def set_scope(
        self, scope: schemas.ScopeIn, session: arg.Session = None
    ) -> schemas.SetScopeOut:
        """Restrict all later calls of this session to some repositories, branches, files or languages.

        Only worth it when many calls share one restriction: for a single call pass `scope` to it
        instead. Pass the returned `session_id` as `session` from then on. An empty scope lifts the
        restriction.
        """
        wanted = arg.scope_of(scope) or Scope()
        document = await files.set_scope(self._context, self._caller(session), wanted)
        return cast(schemas.SetScopeOut, document)

    async def semantic_search(
        self,
        query: arg.Query,
        limit: arg.Limit = 20,
        scope: arg.SearchScope = None,
        session: arg.Session = None,
    ) -> schemas.SearchOut:
        """Find the code that fits a description, a question, a name, or a pasted error.

        Call this first when you do not know where something is; one call with all the telling words
        beats several with few. Each hit holds its text, so that opening the file is only needed for
        what stands around it. A hit with `stale` was edited since it was indexed.
        """
        caller = self._caller(session)
        document = await semantic.semantic_search(
            self._context, caller, query, limit=limit, scope=arg.scope_of(scope)
        )
        return cast(schemas.SearchOut, document | {META: {NAME: caller.notes[TRACE_ID]}})

    async def answer_query(
        self,
        query: arg.Question,
        scope: arg.SearchScope = None,
        top_k: Annotated[int, Field(ge=1, le=50, description="Snippets to answer from.")] = 10,
        rerank_top_n: Annotated[
            int, Field(ge=1, le=200, description="Candidates that are ordered anew.")
        ] = 50,
        time_budget_ms: Annotated[
            float | None, Field(ge=1, le=120_000, description="Time for the whole answer.")
        ] = None,
        session: arg.Session = None,
    ) -> schemas.AnswerEnvelopeOut:
        """Answer a question about the code, every claim with its place (`path:start-end`).

        Call it for "where", "what" and "how" questions when an answer with evidence is wanted; use
        semantic_search when you want to read the code yourself. `low_confidence` and `limits` tell
        when not to rely on it. Do not repeat a question that was answered: ask for what is missing.
        """
        caller = self._caller(session)
        document, trace = await answers.answer_query(
            self._context,
            caller,
            query,
            scope=arg.scope_of(scope),
            top_k=top_k,
            rerank_top_n=rerank_top_n,
            time_budget_ms=time_budget_ms,
            tell=progress.tell,
        )
        meta = {NAME: caller.notes[TRACE_ID], TRACE: trace}
        return cast(schemas.AnswerEnvelopeOut, document | {META: meta})

    async def search_text(
        self,
        query: Annotated[str, Field(description="The text, or with `regex` an RE2 expression.")],
        regex: bool = False,
        case_sensitive: bool = False,
        paths: Annotated[
            list[str] | None, Field(max_length=100, description="Files and folders to look into.")
        ] = None,
        include_globs: arg.Globs = None,
        exclude_globs: arg.Globs = None,
        max_results: Annotated[int, Field(ge=1, le=1000)] = 50,
        scope: arg.SearchScope = None,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.SearchTextOut:
        """Find every line that holds an exact text or matches a regular expression, and count them.

        Use it for messages, keys, literals, and to be sure that nothing was missed: `total` is exact.
        Expressions match within a line. For what code means, use semantic_search; for where a name
        is used, references_at.
        """
        globs = Scope(include_globs=include_globs, exclude_globs=exclude_globs)
        document = await text_search.search_text(
            self._context,
            self._caller(session),
            query,
            regex=regex,
            case_sensitive=case_sensitive,
            paths=paths or (),
            scope=with_repo(joined(arg.scope_of(scope), globs), repo, ref),
            max_results=max_results,
        )
        return cast(schemas.SearchTextOut, document)

    async def find_related(
        self,
        path: arg.Path,
        line: arg.Line,
        limit: arg.Limit = 10,
        scope: arg.SearchScope = None,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.SearchOut:
        """Find code that is like the code at a line: other implementations, callers, copies, tests.

        Use it after a hit, to see how the same thing is done elsewhere.
        """
        document = await semantic.find_related(
            self._context,
            self._caller(session),
            path,
            line,
            limit=limit,
            scope=with_repo(arg.scope_of(scope), repo, ref),
        )
        return cast(schemas.SearchOut, document)

    async def list_paths(
        self,
        path: Annotated[str, Field(max_length=4096, description="A folder; '' is the root.")] = "",
        include_globs: arg.Globs = None,
        exclude_globs: arg.Globs = None,
        max_results: Annotated[int, Field(ge=1, le=10_000)] = 1000,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.ListPathsOut:
        """List the indexed files below a folder.

        For an overview of a repository or to find a file by its name ('**/settings*.py'). To find
        code by what it does, use semantic_search: listing everything first is never needed.
        """
        scope = Scope(include_globs=include_globs, exclude_globs=exclude_globs)
        document = await files.list_paths(
            self._context,
            self._caller(session),
            path,
            scope=with_repo(scope, repo, ref),
            max_results=max_results,
        )
        return cast(schemas.ListPathsOut, document)

    async def open_file(
        self,
        path: arg.Path,
        start_line: arg.Line | None = None,
        end_line: arg.Line | None = None,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.OpenFileOut:
        """Read a file, or the lines from `start_line` to `end_line`, both included.

        Returns at most 2,000 lines; `truncated` says that there is more. Name a range when a hit or
        a location told you where to look.
        """
        document = await files.open_file(
            self._context,
            self._caller(session),
            path,
            start_line=start_line,
            end_line=end_line,
            scope=with_repo(None, repo, ref),
        )
        return cast(schemas.OpenFileOut, document)

    async def symbol_search(
        self,
        query: Annotated[
            str,
            Field(min_length=1, max_length=500, description="A name or a part: 'Router.match'."),
        ],
        kind: Annotated[
            str | None,
            Field(max_length=40, description="'function', 'method', 'class', 'interface', ..."),
        ] = None,
        language: Annotated[str | None, Field(max_length=40)] = None,
        limit: arg.Limit = 50,
        scope: arg.SearchScope = None,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.SymbolsOut:
        """Find definitions by name: functions, classes, methods, types, constants.

        Use it when you know a name or a part of one; case does not count. For what code does rather
        than what it is called, use semantic_search.
        """
        spoken = Scope(languages=[language] if language else None)
        document = await symbols.symbol_search(
            self._context,
            self._caller(session),
            query,
            kind=kind,
            scope=with_repo(joined(arg.scope_of(scope), spoken), repo, ref),
            limit=limit,
        )
        return cast(schemas.SymbolsOut, document)

    async def definition_at(
        self,
        path: arg.Path,
        line: arg.Line,
        character: arg.Character,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.LocationsOut:
        """Find where the name at a place in a file is defined.

        Goes by the name alone: several locations mean several definitions of that name, those in
        the same file and repository first.
        """
        document = await symbols.definition_at(
            self._context,
            self._caller(session),
            path,
            line,
            character,
            scope=with_repo(None, repo, ref),
        )
        return cast(schemas.LocationsOut, document)

    async def references_at(
        self,
        path: arg.Path,
        line: arg.Line,
        character: arg.Character,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.LocationsOut:
        """Find every place where the name at a place in a file is used, its definitions included.

        Goes by the exact spelling, whole names only, in code and text alike.
        """
        document = await symbols.references_at(
            self._context,
            self._caller(session),
            path,
            line,
            character,
            scope=with_repo(None, repo, ref),
        )
        return cast(schemas.LocationsOut, document)

    async def blame_range(
        self,
        path: arg.Path,
        start_line: arg.Line,
        end_line: arg.Line,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.BlameOut:
        """Tell for each line of a range (at most 500) who last changed it, when, and why.

        `commit` is null for a line that is edited and not committed.
        """
        document = await history.blame_range(
            self._context,
            self._caller(session),
            path,
            start_line,
            end_line,
            scope=with_repo(None, repo, ref),
        )
        return cast(schemas.BlameOut, document)

    async def file_history(
        self,
        path: arg.Path,
        limit: arg.Limit = 50,
        repo: arg.Repo = None,
        ref: arg.Ref = None,
        session: arg.Session = None,
    ) -> schemas.HistoryOut:
        """List the commits that changed a file, newest first, through renames."""
        document = await history.file_history(
            self._context,
            self._caller(session),
            path,
            limit=limit,
            scope=with_repo(None, repo, ref),
        )
        return cast(schemas.HistoryOut, document)

    def _caller(self, session: str | None) -> Caller:
        return self._who().in_session(session)
