"""What is known of each request once it is over: counted, and told in one line of the log."""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime
from typing import Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.app.hang_up import GONE
from codeintel_rev.mcp_server.callers import TRACE_ID, Caller
from codeintel_rev.observability.labelled import OTHER
from codeintel_rev.observability.metrics import ROUTES, Metrics

_FAULT: Final = 500
_FILES: Final = "/v1/files/"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

log = logging.getLogger("codeintel.requests")


class RequestRecords:
    """Counts every request, and logs it when that is wanted.

    A line holds nothing that a caller wrote but the ids that were checked: no query, path or code.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, logged: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._logged = logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = GONE
        began = time.perf_counter()

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with self._metrics.requests_in_progress.track_inprogress():
                await self._app(scope, receive, send_noting)
        except Exception:
            status = _FAULT
            raise
        finally:
            self._record(scope, status, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope["path"])
        self._metrics.observe_request(route, status, seconds)
        if self._logged:
            log.info(_line(scope, route, status, seconds))


def route_of(path: str) -> str:
    """Return under which of ``ROUTES`` a path is counted."""
    if path.startswith(_FILES):
        return f"{_FILES}{{path}}"
    return path if path in ROUTES else OTHER


def log_requests() -> None:
    """Let the lines of requests go to standard error, one JSON object each."""
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)


def _line(scope: Scope, route: str, status: int, seconds: float) -> str:
    caller: Caller = scope["state"].get("caller") or Caller()
    method = scope["method"]
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": "INFO",
        "event": "request",
        "request_id": scope["state"]["request_id"],
        "method": method if method in _METHODS else OTHER,
        "route": route,
        "status": status,
        "took_ms": round(seconds * 1000, 1),
        "principal": caller.principal or None,
        "session_id": caller.notes.get("session_id", caller.session),
        "trace_id": caller.notes.get(TRACE_ID),
    }
    return msgspec.json.encode(line).decode()
