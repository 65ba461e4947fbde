"""The HTTP application."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Route

from codeintel_rev import __version__
from codeintel_rev.app import freed_memory, state_metrics
from codeintel_rev.app.abandoned import Abandoned
from codeintel_rev.app.access import Access, is_protected
from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.guard import LOOPBACK, Guard, RequestIds
from codeintel_rev.app.logs import quiet_libraries
from codeintel_rev.app.mcp_endpoint import PATH, McpEndpoint, caller_of_call
from codeintel_rev.app.periodic import every
from codeintel_rev.app.problems import problem
from codeintel_rev.app.readiness import ReadinessProbe
from codeintel_rev.app.request_records import RequestLog, RequestRecords
from codeintel_rev.app.resource_metadata import PATHS, metadata_address, metadata_routes
from codeintel_rev.app.routes import router
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError, InvalidArgument, NotFound
from codeintel_rev.mcp_server.callers import SessionSigner
from codeintel_rev.mcp_server.replies import validation_faults
from codeintel_rev.mcp_server.server import create_server
from codeintel_rev.observability.metrics import Metrics

_GZIP_FROM_BYTES = 2048
_GZIP_LEVEL = 1
"""The fastest: text shrinks to a third, and more would cost more than it saves here."""

MCP_METHODS = ["POST"]
"""Nothing is told but in reply, and there is no session to end."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    settings: Settings, shared_metrics: Path | None = None, log: RequestLog | None = None
) -> FastAPI:
    """Return the application that serves the index in ``settings.data_dir``.

    ``shared_metrics`` is the folder in which several workers keep their metrics; ``log`` is told
    of each request once it is over.

    Raises ``SettingsError`` for a tokens file or an issuer that cannot be used.
    """
    quiet_libraries()
    metrics = Metrics()
    signer = SessionSigner((settings.server.secret or secrets.token_hex()).encode())
    endpoint = McpEndpoint(signer)
    app = FastAPI(
        title="codeintel",
        version=__version__,
        summary="Search code repositories, and ask questions whose every claim cites its place.",
        lifespan=_lifespan(settings, endpoint, metrics),
        middleware=_middleware(settings, signer, metrics, log, lambda: app),
        redoc_url=None,
        docs_url=None,  # its page would load scripts from elsewhere
    )
    app.state.shared_metrics = shared_metrics
    app.include_router(router)
    app.router.routes.append(Route(PATH, endpoint, methods=MCP_METHODS))
    app.router.routes += metadata_routes(settings)
    app.add_exception_handler(CodeIntelError, _told)
    app.add_exception_handler(RequestValidationError, _told_bad_request)
    app.add_exception_handler(HTTPException, _told_http)
    app.add_exception_handler(Exception, _told_fault)
    return app


def _lifespan(settings: Settings, endpoint: McpEndpoint, metrics: Metrics) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as resources:
            context = await ApplicationContext.create(settings, metrics)
            resources.push_async_callback(context.close)
            server = create_server(context, caller_of_call, __version__)
            await resources.enter_async_context(endpoint.serving(server))
            endpoint.calls = context.calls
            app.state.context = context
            app.state.probe = ReadinessProbe(context)
            app.state.metrics = state_metrics.StateMetrics(context)
            resources.callback(metrics.settle)
            resources.push_async_callback(every(state_metrics.SETTLE_S, app.state.metrics.settle))
            resources.push_async_callback(every(state_metrics.PAUSE_S, app.state.metrics.look))
            resources.push_async_callback(every(freed_memory.PAUSE_S, freed_memory.give_back))
            yield

    return lifespan


def _middleware(
    settings: Settings,
    signer: SessionSigner,
    metrics: Metrics,
    log: RequestLog | None,
    app: Callable[[], FastAPI],
) -> list[Middleware]:
    server = settings.server
    origins = server.allowed_origins.replace(",", " ").split()
    guard = Middleware(
        Guard,
        hosts=_hosts(settings),
        origins=frozenset(origins),
        access=Access.of(settings),
        signer=signer,
        limiter=lambda: app().state.context.limiter,
        max_body_bytes=server.max_body_bytes,
        open_paths=PATHS,
        issuer_told_at=metadata_address(settings),
        is_busy=lambda: app().state.context.pool.saturated,
    )
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["*"],
        expose_headers=["X-Request-ID", "Mcp-Session-Id"],
    )
    gzip = Middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=_GZIP_LEVEL)
    records = Middleware(RequestRecords, metrics=metrics, log=log)
    outer = [Middleware(RequestIds), records, Middleware(Abandoned)]
    return [*outer, *([cors] if origins else []), guard, gzip]


def _hosts(settings: Settings) -> frozenset[str] | None:
    """Return by which names a request may call this host; ``None`` = any.

    A token protects better than a name: no page of another origin has it.
    """
    named = settings.server.allowed_hosts.lower().replace(",", " ").split()
    if "*" in named or (is_protected(settings) and not named):
        return None
    return LOOPBACK | frozenset(named)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, CodeIntelError)
    return problem(error, request.state.request_id)


async def _told_bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = InvalidArgument(
        f"the request cannot be used: {validation_faults(error.errors())}",
        hint="see /openapi.json",
    )
    return problem(told, request.state.request_id)


async def _told_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    kind = NotFound if status == 404 else InvalidArgument
    told = kind(
        f"{request.method} {request.url.path[:200]}: {error.detail}", hint="see /openapi.json"
    )
    headers = {"Allow": ", ".join(_allowed(request))} if status == 405 else None
    return problem(told, request.state.request_id, status=status, headers=headers)


def _allowed(request: Request) -> list[str]:
    """Return every method that some route has for the path of a request."""
    path = request.url.path
    operations: dict[str, Any] = request.app.openapi()["paths"].get(path, {})
    return sorted({PATH: MCP_METHODS}.get(path) or [method.upper() for method in operations])


async def _told_fault(request: Request, _: Exception) -> Response:
    told = CodeIntelError("this is a fault of the server", hint="its log tells what happened")
    return problem(told, request.state.request_id)
