"""The tools over HTTP: stateless, so that any worker serves any call."""

from __future__ import annotations

from typing import Final

import msgspec
from fastmcp.server.dependencies import get_http_request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.mcp_server.callers import Caller, SessionSigner

PATH: Final = "/mcp"
SESSION_HEADER: Final = "mcp-session-id"


class McpEndpoint:
    """Hands requests to the MCP app, which is there once the server has started.

    Clients of the older protocol send back a session id that they are given when they begin. The
    library gives none where it keeps no state; this gives them one that tells their session, and
    every worker knows it by its signature.
    """

    def __init__(self, signer: SessionSigner) -> None:
        self._signer = signer
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        assert self.app is not None
        if scope["method"] != "POST" or SESSION_HEADER in Headers(scope=scope):
            await self.app(scope, receive, send)
            return
        first = await receive()  # all of it: the guard has read the body
        coming = [first]

        async def again() -> Message:
            return coming.pop() if coming else await receive()

        begins = _begins_session(first.get("body", b""))
        await self.app(scope, again, self._minting(send) if begins else send)

    def _minting(self, send: Send) -> Send:
        async def send_with_session(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)[SESSION_HEADER] = self._signer.mint()
            await send(message)

        return send_with_session


class _Call(msgspec.Struct):
    method: str = ""


def _begins_session(body: bytes) -> bool:
    if b"initialize" not in body:
        return False
    try:
        return msgspec.json.decode(body, type=_Call).method == "initialize"
    except (msgspec.DecodeError, RecursionError):
        return False


def caller_of_call() -> Caller:
    """Return who makes the call that is being served, as the guard noted it."""
    caller: Caller = get_http_request().state.caller
    return caller
