"""Exhaustive search for text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from codeintel_rev.mcp_server.adapters.semantic import with_limits
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Scope


async def search_text(
    context: ServerContext,
    caller: Caller,
    query: str,
    *,
    regex: bool = False,
    case_sensitive: bool = False,
    paths: Sequence[str] = (),
    scope: Scope | None = None,
    max_results: int = 50,
) -> Document:
    """Return every line that holds ``query``, or matches it, with a count."""
    seen = await effective_scope(context, caller, scope)
    search = partial(
        context.code(caller).search_text,
        query,
        regex=regex,
        case_sensitive=case_sensitive,
        paths=paths,
        scope=seen.scope,
        max_results=max_results,
    )
    return with_limits(await context.run(search), seen.limits)
