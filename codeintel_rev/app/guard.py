"""What a request passes before anything is done for it: the outermost layers of the HTTP app."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.app.access import Access
from codeintel_rev.app.limits import RateLimiter
from codeintel_rev.app.problems import problem
from codeintel_rev.errors import (
    Busy,
    CodeIntelError,
    Forbidden,
    InvalidArgument,
    RateLimited,
    Unauthenticated,
)
from codeintel_rev.mcp_server.callers import TRACE_ID, Caller, SessionSigner, checked_session

BODY_TIMEOUT_S: Final = 20.0
"""How long a request may take to arrive."""

_DISCARDED: Final = 16
"""A request that is larger than allowed is taken, to be thrown away, up to so many times that size."""

_DISCARD_TIMEOUT_S: Final = 5.0

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked by what watches over the server, which has no token and must not be kept waiting."""

METRICS_PATH: Final = "/metrics"
"""Needs a token where others do, and is wanted most when there is too much to do."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """Gives every request an id, the caller's own where it is one, and returns it.

    A reply that begins after its search or answer is named tells that name too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("x-request-id", "")
        request_id = told if _REQUEST_ID.fullmatch(told) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                caller: Caller | None = scope["state"].get("caller")
                if caller is not None and TRACE_ID in caller.notes:
                    headers["X-Trace-ID"] = caller.notes[TRACE_ID]
            await send(message)

        await self._app(scope, receive, send_with_id)


class Guard:
    """Refuses what nobody may send, before its body is read, and notes who is calling."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] | None,
        origins: Collection[str],
        access: Access | None,
        signer: SessionSigner,
        limiter: Callable[[], RateLimiter | None],
        max_body_bytes: int,
        open_paths: Collection[str] = (),
        issuer_told_at: str = "",
        is_busy: Callable[[], bool],
    ) -> None:
        """Let through what is sent to one of ``hosts``; ``None`` = whatever it is called.

        ``open_paths`` need no token, and ``issuer_told_at`` says where to get one.
        """
        self._app = app
        self._hosts = hosts
        self._origins = origins
        self._access = access
        self._open_paths = PROBES | frozenset(open_paths)
        self._issuer_told_at = issuer_told_at
        self._signer = signer
        self._limiter = limiter
        self._max_body_bytes = max_body_bytes
        self._is_busy = is_busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope, Headers(scope=scope))
            body = await _body(receive, self._max_body_bytes)
        except CodeIntelError as error:
            await self._refuse(error, scope, receive, send)
        else:
            await self._app(scope, _replayed(body, receive), send)

    async def _admit(self, scope: Scope, headers: Headers) -> None:
        """Note who is calling; raises what a request is refused with."""
        self._check_origin(headers)
        if scope["path"] not in self._open_paths:
            self._check_host(headers)
            caller = await self._caller(headers)
            scope["state"]["caller"] = replace(caller, notes={})
            if scope["path"] != METRICS_PATH:
                await self._check_load(caller)
        told = headers.get("content-length", "0")
        if not told.isdecimal() or len(told) > 15 or int(told) > self._max_body_bytes:
            raise _TooLargeError(self._max_body_bytes)

    def _check_host(self, headers: Headers) -> None:
        """Raise ``Forbidden`` for a name by which a web page elsewhere may have led here."""
        host = headers.get("host", "")
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if self._hosts is not None and name.lower() not in self._hosts:
            raise Forbidden(
                f"the host {name[:80]!r} is not served here",
                hint="name it in SERVER_ALLOWED_HOSTS",
                value=name[:80],
            )

    def _check_origin(self, headers: Headers) -> None:
        """Raise ``Forbidden`` for what a web page elsewhere makes a browser send."""
        origin = headers.get("origin")
        host = headers.get("host", "")
        own = {f"http://{host}", f"https://{host}"}
        if origin is not None and origin not in own and origin not in self._origins:
            raise Forbidden(
                f"pages of {origin[:80]!r} may not call",
                hint="name it in SERVER_ALLOWED_ORIGINS",
                value=origin[:80],
            )

    async def _caller(self, headers: Headers) -> Caller:
        """Return who is calling, in which session; raises ``Unauthenticated``."""
        caller = Caller()
        if self._access is not None:
            caller = await self._access.caller(headers.get("authorization", ""))
        minted = headers.get("mcp-session-id")
        if minted is not None and self._signer.is_own(minted):
            return caller.in_session(minted)
        named = headers.get("x-session-id")
        return caller if named is None else caller.in_session(checked_session(named))

    async def _check_load(self, caller: Caller) -> None:
        await self._check_rate(caller)
        if self._is_busy():
            raise Busy("the server has more to do than it can", hint="try again shortly")

    async def _check_rate(self, caller: Caller) -> None:
        limiter = self._limiter()
        wait_s = 0 if limiter is None else await limiter.wait_s(caller.principal)
        if wait_s:
            raise RateLimited(
                "you ask more often than you may", hint=f"wait {wait_s} s", value=str(wait_s)
            )

    async def _refuse(
        self, error: CodeIntelError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        status = _STATUS.get(type(error))
        if isinstance(error, _TooLargeError) and "expect" not in Headers(scope=scope):
            await _discard(receive, _DISCARDED * self._max_body_bytes)
        headers = {} if status is None else {"Connection": "close"}
        if isinstance(error, RateLimited) and error.value:
            headers["Retry-After"] = error.value
        if isinstance(error, Unauthenticated) and self._issuer_told_at:
            headers["WWW-Authenticate"] = f'Bearer resource_metadata="{self._issuer_told_at}"'
        response = problem(error, scope["state"]["request_id"], status=status, headers=headers)
        await response(scope, receive, send)


class _TooLargeError(InvalidArgument):
    """Raised when a request has more bytes than are read."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the request has more than {limit:,} bytes", hint="send less", value=str(limit)
        )


class _TooSlowError(InvalidArgument):
    """Raised when a request does not arrive."""

    def __init__(self) -> None:
        super().__init__("the request did not arrive in time", hint="send it at once")


_STATUS: Final[dict[type[CodeIntelError], int]] = {_TooLargeError: 413, _TooSlowError: 408}


async def _body(receive: Receive, limit: int) -> bytes:
    """Read a request to its end; raises ``_TooLargeError`` or ``_TooSlowError``."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _whole_body(receive, limit)
    except TimeoutError:
        raise _TooSlowError from None


async def _discard(receive: Receive, limit: int) -> None:
    """Take what is still sent, within bounds: else its sender would find the connection broken.

    Who asked whether to send it at all is told before.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_TIMEOUT_S):
            size, more = 0, True
            while more and size < limit:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)


async def _whole_body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _TooLargeError(limit)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body once, and then whatever comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
