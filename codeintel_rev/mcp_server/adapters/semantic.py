"""Search by meaning and by words."""

from __future__ import annotations

from codeintel_rev.mcp_server.adapters.asking import asked
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
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
    time_budget_ms: float | None = None,
) -> Document:
    """Return the best ``limit`` pieces of code for ``query``, within a time budget if one is given."""
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.search(query, limit=limit, scope=seen, mode=mode, explain=explain),
        timeout_ms=time_budget_ms,
        quick=context.settings.search.second_stage == "none",
    )


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
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.related(path, line, limit=limit, scope=seen),
        quick=True,
    )
