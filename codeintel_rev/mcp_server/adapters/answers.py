"""Answers to questions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

from codeintel_rev.mcp_server.adapters.asking import with_limits
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import AnswerStep, Document, ServerContext
from codeintel_rev.mcp_server.scopes import effective_scope
from codeintel_rev.types import Scope

TOLD_CHARS: Final = 80
"""Text of an answer that is told at a time: about a sentence."""


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
    tell: Callable[[str], Awaitable[None]],
) -> tuple[Document, Document]:
    """Return a whole answer and its trace; its text is told while it is written."""
    events = answer_events(
        context,
        caller,
        query,
        scope=scope,
        top_k=top_k,
        rerank_top_n=rerank_top_n,
        time_budget_ms=time_budget_ms,
    )
    trace: Document = {}
    text = ""
    async with aclosing(events):
        async for step in events:
            text += step.document["content"] if step.event == "token" else ""
            if text and (len(text) >= TOLD_CHARS or step.event == "trace"):
                await tell(text)
                text = ""
            if step.event == "trace":
                trace = step.document
            elif step.event == "envelope":
                return step.document, trace
    raise AssertionError("an answer ends with its envelope")


async def envelope_of(events: AsyncGenerator[AnswerStep, None]) -> Document:
    """Return the envelope with which an answer ends."""
    async with aclosing(events):
        async for step in events:
            if step.event == "envelope":
                return step.document
    raise AssertionError("an answer ends with its envelope")
