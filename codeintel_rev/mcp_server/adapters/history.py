"""Who wrote what, and when."""

from __future__ import annotations

from codeintel_rev.mcp_server.adapters.asking import asked
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
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
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.blame(path, start_line, end_line, scope=seen),
    )


async def file_history(
    context: ServerContext,
    caller: Caller,
    path: str,
    *,
    limit: int = 50,
    scope: Scope | None = None,
) -> Document:
    """Return the commits that changed a file, newest first."""
    return await asked(
        context, caller, scope, lambda code, seen: code.file_history(path, limit=limit, scope=seen)
    )
