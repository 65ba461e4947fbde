"""Exhaustive search for text."""

from __future__ import annotations

from collections.abc import Sequence

from codeintel_rev.mcp_server.adapters.asking import asked
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Document, ServerContext
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
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.search_text(
            query,
            regex=regex,
            case_sensitive=case_sensitive,
            paths=paths,
            scope=seen,
            max_results=max_results,
        ),
    )
