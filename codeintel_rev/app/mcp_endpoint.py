"""The tools over HTTP: stateless, so that any worker serves any call."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from anyio import CancelScope
from fastmcp.server.dependencies import get_http_request
from fastmcp.server.middleware import CallNext, MiddlewareContext
from fastmcp.server.middleware import Middleware as McpMiddleware
from mcp.shared.exceptions import MCPError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.app.running_calls import RunningCalls
from codeintel_rev.mcp_server.callers import Caller, SessionSigner
from codeintel_rev.text.json_faults import NOT_JSON

PATH: Final = "/mcp"
SESSION_HEADER: Final = "mcp-session-id"

REQUEST_CANCELLED: Final = -32800
"""How clients of the older protocol are told that a call ended as they wished."""


class McpEndpoint:
    """Hands requests to the MCP app, which is there once the server has started.

    Clients of the older protocol send back a session id that they are given when they begin, and
    cancel a call by a request of its own. The library gives no id where it keeps no state, and knows
    no other request than the present one; this gives them an id that tells their session, known by
    its signature to every worker, and ends the call that they name. (Clients of the newer protocol
    cancel by closing the connection, which the library sees.)
    """

    def __init__(self, signer: SessionSigner) -> None:
        self._signer = signer
        self.app: ASGIApp | None = None
        self.calls = RunningCalls(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        assert self.app is not None
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        first = await receive()  # all of it: the guard has read the body
        coming = [first]

        async def again() -> Message:
            return coming.pop() if coming else await receive()

        session = Headers(scope=scope).get(SESSION_HEADER)
        call = _call_in(first.get("body", b""))
        if session is None:
            begins = call.method == "initialize"
            await self.app(scope, again, self._minting(send) if begins else send)
        elif self._signer.is_own(session):
            await self._serve_session(call, scope, again, send)
        else:
            await self.app(scope, again, send)

    async def _serve_session(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        key = scope["state"]["caller"].scope_key
        if call.method == "tools/call" and call.id is not None:
            with self.calls.running(key, call.id) as scope["state"]["cancelled"]:
                await self.app(scope, receive, send)
            return
        if call.method == "notifications/cancelled" and call.params.request_id is not None:
            await self.calls.cancel(key, call.params.request_id)
        await self.app(scope, receive, send)

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


class _Params(msgspec.Struct, rename="camel"):
    request_id: str | int | None = None


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


def caller_of_call() -> Caller:
    """Return who makes the call that is being served, as the guard noted it."""
    caller: Caller = get_http_request().state.caller
    return caller
