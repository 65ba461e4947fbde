"""Requests that may take long end when their client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from anyio import CancelScope
from fastapi import Request
from starlette.responses import Response

from codeintel_rev.app.problems import json_response
from codeintel_rev.mcp_server.ports import Document

GONE: Final = 499
"""How it is told in logs that a client went away before there was an answer."""


async def awaited(request: Request, document: Awaitable[Document]) -> Response:
    """Return a document as JSON; the work on it is cancelled when nobody waits for it any more.

    The body of the request has been read.
    """
    with CancelScope() as wanted:
        watch = asyncio.create_task(_cancel_when_gone(request, wanted))
        try:
            return json_response(await document)
        finally:
            watch.cancel()
    return Response(status_code=GONE)


async def _cancel_when_gone(request: Request, wanted: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    wanted.cancel()
