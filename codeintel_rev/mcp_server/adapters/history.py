"""Who wrote what, and when."""

from __future__ import annotations

from functools import partial

from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Scope


async def blame_range(
    context: ServerContext,
    caller: Caller,
    path: str,
    start_line: int,
    end_line: int,
    *,
    scope: Scope | None = None,
) -> Document:
    """Return the commit behind each line of a range."""
    seen = await effective_scope(context, caller, scope)
    blame = partial(context.code(caller).blame, path, start_line, end_line, scope=seen.scope)
    return await context.run(blame)


async def file_history(
    context: ServerContext,
    caller: Caller,
    path: str,
    *,
    limit: int = 50,
    scope: Scope | None = None,
) -> Document:
    """Return the commits that changed a file, newest first."""
    seen = await effective_scope(context, caller, scope)
    history = partial(context.code(caller).file_history, path, limit=limit, scope=seen.scope)
    return await context.run(history)
