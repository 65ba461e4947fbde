"""Names: what is called so, where it is defined, where it is used."""

from __future__ import annotations

from codeintel_rev.mcp_server.adapters.asking import asked
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
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
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.find_symbols(query, kind=kind, scope=seen, limit=limit),
    )


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
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.definition_at(path, line, character, scope=seen),
    )


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
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.references_at(path, line, character, scope=seen),
    )
