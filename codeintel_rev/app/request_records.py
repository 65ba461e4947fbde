"""What is known of each request once it is over: counted, and told in one line of the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.app.hang_up import GONE
from codeintel_rev.mcp_server.callers import QUERY, TRACE_ID, Caller
from codeintel_rev.observability.labelled import OTHER
from codeintel_rev.observability.metrics import ROUTES, Metrics

_FAULT: Final = 500
_FILES: Final = "/v1/files/"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

RequestLog = Callable[[dict[str, Any]], bool]
"""Writes what is known of a request; returns whether there was room for it."""


class RequestRecords:
    """Counts every request, and logs it when that is wanted.

    A line holds nothing that a caller wrote but the ids that were checked: no path, no code, and a
    query only where the settings ask for it.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, log: RequestLog | None) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = GONE
        began = time.perf_counter()
        self._metrics.being_served += 1

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception:
            status = _FAULT
            raise
        finally:
            self._metrics.being_served -= 1
            took_s = time.perf_counter() - began
            self._metrics.backlog.put(self._record, scope, status, took_s, time.time())

    def _record(self, scope: Scope, status: int, took_s: float, ended: float) -> None:
        route = route_of(scope["path"])
        self._metrics.observe_request(route, status, took_s)
        if self._log is not None and not self._log(_line(scope, route, status, took_s, ended)):
            self._metrics.lost_log_lines.inc()


def route_of(path: str) -> str:
    """Return under which of ``ROUTES`` a path is counted."""
    if path.startswith(_FILES):
        return f"{_FILES}{{path}}"
    return path if path in ROUTES else OTHER


def _line(scope: Scope, route: str, status: int, took_s: float, ended: float) -> dict[str, Any]:
    caller: Caller = scope["state"].get("caller") or Caller()
    notes = caller.notes
    method = scope["method"]
    line = {
        "time": datetime.fromtimestamp(ended, UTC).isoformat(timespec="milliseconds"),
        "level": "INFO",
        "event": "request",
        "request_id": scope["state"]["request_id"],
        "method": method if method in _METHODS else OTHER,
        "route": route,
        "status": status,
        "took_ms": round(took_s * 1000, 1),
        "principal": caller.principal or None,
        "session_id": notes.get("session_id", caller.session),
        "trace_id": notes.get(TRACE_ID),
    }
    return line | {QUERY: notes[QUERY]} if QUERY in notes else line
