"""Requests that are given up because the server ends."""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from codeintel_rev.app.problems import problem
from codeintel_rev.errors import Unavailable

_log = logging.getLogger(__name__)


class Abandoned:
    """Tells whoever still waits that the server ends; the library would call it a fault of ours.

    Who has a part of the response already finds the connection closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:  # nothing else cancels a whole request
            _log.warning("a request was given up, for the server ends")
            if not begun:
                error = Unavailable("the server ends", hint="try again; another one may serve")
                response = problem(error, scope["state"]["request_id"])
                response.headers["Connection"] = "close"
                await response(scope, receive, send)
