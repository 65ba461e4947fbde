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
    quick: bool = False,
) -> Document:
    """Return what ``ask``, which may be ``quick``, returns of the code and scope of a call.

    Raises what it raises, ``Busy``, and ``DeadlineExceeded`` after ``timeout_ms`` at the latest.
    """
    seen = await effective_scope(context, caller, scope)
    work = partial(ask, context.code(caller), seen.scope)
    found = await context.run(work, timeout_ms, quick=quick)
    return with_limits(found, seen.limits)


def with_limits(document: Document, words: tuple[str, ...]) -> Document:
    """Return the document with more words in its ``limits``."""
    if not words:
        return document
    return {**document, "limits": list(dict.fromkeys([*document.get("limits", ()), *words]))}
