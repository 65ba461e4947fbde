"""The way of every tool: the session's scope, a port on a thread, and what held it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Code, Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Scope


async def asked(
    context: ServerContext,
    caller: Caller,
    scope: Scope | None,
    ask: Callable[[Code, Scope | None], Document],
    *,
    timeout_ms: float | None = None,
) -> Document:
    """Return what ``ask`` returns of the code and the scope that a call may see.

    Raises what it raises, ``Busy``, and ``DeadlineExceeded`` after ``timeout_ms`` at the latest.
    """
    seen = await effective_scope(context, caller, scope)
    found = await context.run(partial(ask, context.code(caller), seen.scope), timeout_ms)
    return with_limits(found, seen.limits)


def with_limits(document: Document, words: tuple[str, ...]) -> Document:
    """Return the document with more words in its ``limits``."""
    if not words:
        return document
    return {**document, "limits": list(dict.fromkeys([*document.get("limits", ()), *words]))}
