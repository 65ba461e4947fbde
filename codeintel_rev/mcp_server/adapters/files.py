"""Files: which there are, and what stands in them; and the scope of a session."""

from __future__ import annotations

import msgspec

from codeintel_rev.mcp_server.adapters.asking import asked
from codeintel_rev.mcp_server.callers import Caller, new_session
from codeintel_rev.mcp_server.ports import Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.text.globs import GlobSet
from codeintel_rev.text.languages import canonical_language
from codeintel_rev.types import Scope


async def set_scope(context: ServerContext, caller: Caller, scope: Scope) -> Document:
    """Remember the scope of the caller's session, of a new one where there is none.

    Raises ``UnknownLanguage`` or ``BadGlob``.
    """
    GlobSet(scope.include_globs or (), scope.exclude_globs or ())
    for name in scope.languages or ():
        canonical_language(name)
    told = caller.session is not None
    caller = caller if told else caller.in_session(new_session())
    assert caller.scope_key is not None
    await context.scope_store.set(caller.scope_key, scope)
    hint = "" if told else "; pass session_id as `session` with every call"
    return {
        "effective_scope": scope_document(scope),
        "session_id": caller.session,
        "status": f"{'set' if context.scope_store.available else 'redis_unavailable'}{hint}",
    }


async def get_scope(context: ServerContext, caller: Caller) -> Document:
    """Return the scope of the caller's session, empty where it has none."""
    seen = await effective_scope(context, caller, None)
    return {
        "effective_scope": scope_document(seen.scope or Scope()),
        "session_id": caller.session,
        "status": "redis_unavailable" if seen.limits else "set" if seen.scope else "unset",
    }


async def list_repositories(context: ServerContext, caller: Caller) -> Document:
    """Return the repositories that a caller may see."""
    return await asked(context, caller, None, lambda code, _: code.repositories())


async def list_paths(
    context: ServerContext,
    caller: Caller,
    path: str = "",
    *,
    scope: Scope | None = None,
    max_results: int = 1000,
) -> Document:
    """Return the files at or below ``path``."""
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.list_paths(path, scope=seen, max_results=max_results),
    )


async def open_file(
    context: ServerContext,
    caller: Caller,
    path: str,
    *,
    start_line: int | None = None,
    end_line: int | None = None,
    scope: Scope | None = None,
) -> Document:
    """Return lines of a file."""
    return await asked(
        context,
        caller,
        scope,
        lambda code, seen: code.open_file(
            path, start_line=start_line, end_line=end_line, scope=seen
        ),
    )


def scope_document(scope: Scope) -> Document:
    """Return what a scope restricts."""
    document: Document = msgspec.to_builtins(scope)
    return document
