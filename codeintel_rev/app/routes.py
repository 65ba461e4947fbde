"""The routes of the HTTP API; each asks the same adapter as the tool of the same purpose."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from codeintel_rev import __version__
from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.events import event_stream, opened
from codeintel_rev.app.hang_up import awaited
from codeintel_rev.app.http_models import (
    AnswerRequest,
    HealthOut,
    ProblemOut,
    ReadinessOut,
    SearchRequest,
    TextSearchRequest,
)
from codeintel_rev.app.problems import encoded, json_response
from codeintel_rev.app.readiness import ReadinessProbe
from codeintel_rev.errors import InvalidArgument
from codeintel_rev.mcp_server import schemas
from codeintel_rev.mcp_server.adapters import answers, files, semantic, symbols, text_search
from codeintel_rev.mcp_server.arguments import scope_of
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.scopes import with_repo
from codeintel_rev.observability.exposition import exposition
from codeintel_rev.types import Scope

_PROBLEM: Final = {"application/problem+json": {"schema": ProblemOut.model_json_schema()}}
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    422: {"content": _PROBLEM, "description": "What was found cannot be returned."},
    "4XX": {"content": _PROBLEM, "description": "The request cannot be used, or is not allowed."},
    "5XX": {"content": _PROBLEM, "description": "The server cannot do it, now or at all."},
}
_EVENTS: Final = "text/event-stream"

router = APIRouter(responses=_PROBLEMS)

Names = Annotated[list[str], Query(max_length=100, default_factory=list)]


def context_of(request: Request) -> ApplicationContext:
    """Return what the requests of a server share."""
    context: ApplicationContext = request.app.state.context
    return context


def caller_of(request: Request) -> Caller:
    """Return who makes a request, as the guard noted it."""
    caller: Caller = request.state.caller
    return caller


@router.get("/healthz", response_model=HealthOut, tags=["probes"])
async def healthz() -> Response:
    """Tell that the process lives; nothing outside of it is asked."""
    return json_response({"status": "ok", "version": __version__})


@router.get("/readyz", response_model=ReadinessOut, tags=["probes"])
async def readyz(request: Request) -> Response:
    """Tell whether requests can be served, and what does not work; 503 when they cannot."""
    probe: ReadinessProbe = request.app.state.probe
    found = await probe.check()
    return json_response(found, 200 if found["ready"] else 503)


@router.get("/metrics", response_class=PlainTextResponse, tags=["probes"])
async def metrics(request: Request) -> Response:
    """Tell what all workers counted and measured, in the text format or as OpenMetrics."""
    state = request.app.state
    await state.metrics.look()
    body, content_type = await asyncio.to_thread(
        exposition,
        context_of(request).served.metrics.registry,
        request.headers.get("accept", ""),
        state.shared_metrics,
    )
    return Response(body, headers={"Content-Type": content_type})


@router.post("/v1/search", response_model=schemas.SearchOut, tags=["search"])
async def search(request: Request, body: SearchRequest) -> Response:
    """Find code by meaning and by words."""
    found = await semantic.semantic_search(
        context_of(request),
        caller_of(request),
        body.query,
        limit=body.limit,
        scope=scope_of(body.scope),
        mode=body.mode,
        explain=body.explain,
        time_budget_ms=body.time_budget_ms,
    )
    return json_response(found)


@router.post("/v1/text", response_model=schemas.SearchTextOut, tags=["search"])
async def text(request: Request, body: TextSearchRequest) -> Response:
    """Find every line that holds a text, or matches an expression."""
    found = text_search.search_text(
        context_of(request),
        caller_of(request),
        body.query,
        regex=body.regex,
        case_sensitive=body.case_sensitive,
        paths=body.paths,
        scope=scope_of(body.scope),
        max_results=body.max_results,
    )
    return await awaited(request, found)


@router.get("/v1/symbols", response_model=schemas.SymbolsOut, tags=["search"])
async def find_symbols(
    request: Request,
    query: Annotated[str, Query(min_length=1, max_length=500)],
    kind: Annotated[str | None, Query(max_length=40)] = None,
    language: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    repo: str | None = None,
    ref: str | None = None,
) -> Response:
    """Find definitions by name."""
    scope = Scope(languages=[language] if language else None)
    found = await symbols.symbol_search(
        context_of(request),
        caller_of(request),
        query,
        kind=kind,
        scope=with_repo(scope, repo, ref),
        limit=limit,
    )
    return json_response(found)


_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": schemas.AnswerEnvelopeOut,
        "content": {_EVENTS: {"schema": {"type": "string"}}},
        "description": "The answer; as events where `Accept` names text/event-stream.",
    }
}


@router.post("/v1/answers", responses=_ANSWER, tags=["answers"])
@router.post("/answer_query", responses=_ANSWER, tags=["answers"], include_in_schema=False)
async def answer(request: Request, body: AnswerRequest) -> Response:
    """Answer a question, every claim with its place."""
    events = answers.answer_events(
        context_of(request),
        caller_of(request),
        body.query,
        scope=scope_of(body.scope),
        top_k=body.top_k,
        rerank_top_n=body.rerank_top_n,
        time_budget_ms=body.time_budget_ms,
    )
    if _EVENTS in request.headers.get("accept", ""):
        stream = event_stream(await opened(events))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type=_EVENTS, headers=headers)
    return await awaited(request, answers.envelope_of(events))


@router.get("/v1/files", response_model=schemas.ListPathsOut, tags=["files"])
async def list_files(
    request: Request,
    include: Names,
    exclude: Names,
    path: str = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    repo: str | None = None,
    ref: str | None = None,
) -> Response:
    """List the indexed files below a folder."""
    scope = Scope(include_globs=include or None, exclude_globs=exclude or None)
    found = await files.list_paths(
        context_of(request),
        caller_of(request),
        path,
        scope=with_repo(scope, repo, ref),
        max_results=limit,
    )
    return json_response(found)


@router.get("/v1/files/{path:path}", response_model=schemas.OpenFileOut, tags=["files"])
async def open_file(
    request: Request,
    path: str,
    start_line: Annotated[int | None, Query(ge=1)] = None,
    end_line: Annotated[int | None, Query(ge=1)] = None,
    repo: str | None = None,
    ref: str | None = None,
) -> Response:
    """Read a file, or some of its lines."""
    found = await files.open_file(
        context_of(request),
        caller_of(request),
        path,
        start_line=start_line,
        end_line=end_line,
        scope=with_repo(None, repo, ref),
    )
    body = encoded(found)
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/v1/scope", response_model=schemas.SetScopeOut, tags=["scope"])
async def get_scope(request: Request) -> Response:
    """Return the scope of the session that `X-Session-ID` names."""
    found = await files.get_scope(context_of(request), _in_session(request))
    return json_response(found)


@router.put("/v1/scope", response_model=schemas.SetScopeOut, tags=["scope"])
async def put_scope(request: Request, scope: schemas.ScopeIn) -> Response:
    """Set the scope of the session, of a new one where none is named."""
    wanted = scope_of(scope) or Scope()
    return json_response(await files.set_scope(context_of(request), caller_of(request), wanted))


@router.delete("/v1/scope", status_code=204, tags=["scope"])
async def delete_scope(request: Request) -> Response:
    """Lift every restriction of the session."""
    key = _in_session(request).scope_key
    assert key is not None
    await context_of(request).scope_store.delete(key)
    return Response(status_code=204)


def _in_session(request: Request) -> Caller:
    caller = caller_of(request)
    if caller.session is None:
        raise InvalidArgument("no session is named", hint="name it in X-Session-ID")
    return caller
