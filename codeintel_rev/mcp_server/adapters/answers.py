"""Answers to questions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from codeintel_rev.mcp_server.adapters.asking import with_limits
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import AnswerStep, Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Scope


async def answer_events(
    context: ServerContext,
    caller: Caller,
    query: str,
    *,
    scope: Scope | None = None,
    top_k: int = 10,
    rerank_top_n: int = 50,
    time_budget_ms: float | None = None,
) -> AsyncGenerator[AnswerStep, None]:
    """Yield an answer's events as they come; the last one is the envelope."""
    seen = await effective_scope(context, caller, scope)
    events = context.code(caller).answer(
        query,
        scope=seen.scope,
        top_k=top_k,
        rerank_top_n=rerank_top_n,
        time_budget_ms=time_budget_ms,
    )
    async with aclosing(events):
        async for step in events:
            if step.event == "envelope":
                yield step._replace(document=with_limits(step.document, seen.limits))
            else:
                yield step


async def answer_query(
    context: ServerContext,
    caller: Caller,
    query: str,
    *,
    scope: Scope | None = None,
    top_k: int = 10,
    rerank_top_n: int = 50,
    time_budget_ms: float | None = None,
) -> Document:
    """Return a whole answer."""
    events = answer_events(
        context,
        caller,
        query,
        scope=scope,
        top_k=top_k,
        rerank_top_n=rerank_top_n,
        time_budget_ms=time_budget_ms,
    )
    return await envelope_of(events)


async def envelope_of(events: AsyncGenerator[AnswerStep, None]) -> Document:
    """Return the envelope with which an answer ends."""
    async with aclosing(events):
        async for step in events:
            if step.event == "envelope":
                return step.document
    raise AssertionError("an answer ends with its envelope")
