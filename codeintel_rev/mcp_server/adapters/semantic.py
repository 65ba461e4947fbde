"""Search by meaning and by words."""

from __future__ import annotations

from functools import partial

from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Mode, Scope


async def semantic_search(
    context: ServerContext,
    caller: Caller,
    query: str,
    *,
    limit: int = 20,
    scope: Scope | None = None,
    mode: Mode = "hybrid",
    explain: bool = False,
) -> Document:
    """Return the best ``limit`` pieces of code for ``query``."""
    seen = await effective_scope(context, caller, scope)
    search = partial(
        context.code(caller).search,
        query,
        limit=limit,
        scope=seen.scope,
        mode=mode,
        explain=explain,
    )
    return with_limits(await context.run(search), seen.limits)


async def find_related(
    context: ServerContext,
    caller: Caller,
    path: str,
    line: int,
    *,
    limit: int = 10,
    scope: Scope | None = None,
) -> Document:
    """Return the best ``limit`` pieces of code that are like that at ``path:line``."""
    seen = await effective_scope(context, caller, scope)
    related = partial(context.code(caller).related, path, line, limit=limit, scope=seen.scope)
    return with_limits(await context.run(related), seen.limits)


def with_limits(document: Document, words: tuple[str, ...]) -> Document:
    """Return the document with more words in its ``limits``."""
    if not words:
        return document
    return {**document, "limits": list(dict.fromkeys([*document.get("limits", ()), *words]))}
