"""Names: what is called so, where it is defined, where it is used."""

from __future__ import annotations

from functools import partial

from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Scope


async def symbol_search(
    context: ServerContext,
    caller: Caller,
    query: str,
    *,
    kind: str | None = None,
    scope: Scope | None = None,
    limit: int = 50,
) -> Document:
    """Return definitions whose name fits ``query``, the closest first."""
    seen = await effective_scope(context, caller, scope)
    find = partial(
        context.code(caller).find_symbols, query, kind=kind, scope=seen.scope, limit=limit
    )
    return await context.run(find)


async def definition_at(
    context: ServerContext,
    caller: Caller,
    path: str,
    line: int,
    character: int,
    *,
    scope: Scope | None = None,
) -> Document:
    """Return where the name at a place is defined."""
    seen = await effective_scope(context, caller, scope)
    find = partial(context.code(caller).definition_at, path, line, character, scope=seen.scope)
    return await context.run(find)


async def references_at(
    context: ServerContext,
    caller: Caller,
    path: str,
    line: int,
    character: int,
    *,
    scope: Scope | None = None,
) -> Document:
    """Return where the name at a place is used."""
    seen = await effective_scope(context, caller, scope)
    find = partial(context.code(caller).references_at, path, line, character, scope=seen.scope)
    return await context.run(find)
