"""The tools over HTTP: stateless, so that any worker serves any call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

import msgspec
from anyio import CancelScope
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_request
from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.server.middleware import Middleware as McpMiddleware
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, OLDEST_SUPPORTED_VERSION
from sse_starlette.sse import AppStatus
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.app.hang_up import cancelled_when_gone
from codeintel_rev.app.running_calls import RunningCalls
from codeintel_rev.mcp_server.callers import Caller, SessionSigner
from codeintel_rev.text.json_faults import NOT_JSON

PATH: Final = "/mcp"
SESSION_HEADER: Final = "mcp-session-id"
VERSION_HEADER: Final = "mcp-protocol-version"

_OLDER: Final = frozenset(HANDSHAKE_PROTOCOL_VERSIONS)
"""Versions of the protocol whose clients are answered by events, and cancel by a request."""

_SLOW: Final = frozenset({"answer_query"})
"""Tools whose silence may last longer than whatever stands between waits: events are kept alive."""

REQUEST_CANCELLED: Final = -32800
"""How clients of the older protocol are told that a call ended as they wished."""


class McpEndpoint:
    """Hands requests to the server of the tools, which is there once it has started.

    Clients of the older protocol send back a session id that they are given when they begin, and
    cancel a call by a request of its own. The library gives no id where it keeps no state, and knows
    no other request than the present one; this gives them an id that tells their session, known by
    its signature to every worker, and ends the call that they name. (Clients of the newer protocol
    cancel by closing the connection, which the library sees.)

    The library answers them by a stream of events, also where there is nothing to tell but the
    result; a document takes a quarter less work. It is for calls that are over soon.
    """

    def __init__(self, signer: SessionSigner) -> None:
        self._signer = signer
        self._events: ASGIApp | None = None
        self._document: ASGIApp | None = None
        self.calls = RunningCalls(None)

    @asynccontextmanager
    async def serving(self, server: FastMCP[Any]) -> AsyncIterator[None]:
        """Answer for ``server``, in both ways: by events, and by one document."""
        server.add_middleware(Cancellable())
        # else a call would break off when the server is told to stop, and not be given its time
        AppStatus.enable_automatic_graceful_drain = False
        self._events, self._document = events, document = [
            server.http_app(path=PATH, stateless_http=True, json_response=plain)
            for plain in (False, True)
        ]
        async with (
            events.router.lifespan_context(events),
            document.router.lifespan_context(document),
        ):
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        assert self._events is not None
        body = {**await receive(), "more_body": False}  # the guard has read all of it
        call = _call_in(body.get("body", b""))
        headers = Headers(scope=scope)
        version = headers.get(VERSION_HEADER, OLDEST_SUPPORTED_VERSION)
        session = headers.get(SESSION_HEADER)
        is_own = session is not None and self._signer.is_own(session)
        if call.method == "tools/call" and version in _OLDER:
            await self._serve_call(call, is_own, body, scope, receive, send)
            return
        if call.method == "notifications/cancelled" and is_own:
            await self._cancel(call, scope)
        begins = call.method == "initialize" and session is None
        await self._events(scope, _after(body, receive), self._minting(send) if begins else send)

    async def _serve_call(
        self, call: _Call, is_own: bool, body: Message, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve a call of the older protocol until it is done, or not wanted any more."""
        assert self._events is not None
        assert self._document is not None
        with self._cancelled(call, is_own, scope) as cancelled:
            scope["state"]["cancelled"] = cancelled
            if call.params.name in _SLOW or call.params.meta.progress_token is not None:
                await self._events(scope, _after(body, receive), send)
                return
            with cancelled_when_gone(receive, cancelled):
                await self._document(scope, _after(body, _nothing), send)

    def _cancelled(
        self, call: _Call, is_own: bool, scope: Scope
    ) -> AbstractContextManager[CancelScope]:
        """Return what is cancelled when the caller says so; only who has a session can."""
        if not is_own or call.id is None:
            return nullcontext(CancelScope())
        return self.calls.running(scope["state"]["caller"].scope_key, call.id)

    async def _cancel(self, call: _Call, scope: Scope) -> None:
        if call.params.request_id is not None:
            key = scope["state"]["caller"].scope_key
            await self.calls.cancel(key, call.params.request_id)

    def _minting(self, send: Send) -> Send:
        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)[SESSION_HEADER] = self._signer.mint()
            await send(message)

        return send_with_session


class Cancellable(McpMiddleware):
    """Ends a call of a tool when its caller wishes."""

    async def on_call_tool(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Call the tool until it is done, or not wanted any more."""
        cancelled: CancelScope | None = getattr(get_http_request().state, "cancelled", None)
        if cancelled is None:
            return await call_next(context)
        with cancelled:
            return await call_next(context)
        raise MCPError(REQUEST_CANCELLED, "the call was cancelled")


class _Meta(msgspec.Struct, rename="camel"):
    progress_token: str | int | None = None


class _Params(msgspec.Struct, rename="camel"):
    name: str = ""
    request_id: str | int | None = None
    meta: _Meta = msgspec.field(default_factory=_Meta, name="_meta")


class _Call(msgspec.Struct):
    method: str = ""
    id: str | int | None = None
    params: _Params = msgspec.field(default_factory=_Params)


def _call_in(body: bytes) -> _Call:
    """Return what a request asks for; nothing where that cannot be read, which the library tells."""
    try:
        return msgspec.json.decode(body, type=_Call)
    except NOT_JSON:
        return _Call()


def _after(first: Message, rest: Receive) -> Receive:
    """Return what gives a message that was received already, and then the rest."""
    coming = [first]

    async def receive() -> Message:
        return coming.pop() if coming else await rest()

    return receive


async def _nothing() -> Message:
    return await asyncio.Future()


def caller_of_call() -> Caller:
    """Return who makes the call that is being served, as the guard noted it."""
    caller: Caller = get_http_request().state.caller
    return caller
