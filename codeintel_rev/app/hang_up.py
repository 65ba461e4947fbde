"""Requests that may take long end when their client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Final

from anyio import CancelScope
from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive

from codeintel_rev.app.problems import json_response
from codeintel_rev.mcp_server.ports import Document

GONE: Final = 499
"""How it is told in logs that a client went away before there was an answer."""


async def awaited(request: Request, document: Awaitable[Document]) -> Response:
    """Return a document as JSON; the work on it is cancelled when nobody waits for it any more.

    The body of the request has been read.
    """
    with CancelScope() as wanted, cancelled_when_gone(request.receive, wanted):
        return json_response(await document)
    return Response(status_code=GONE)


@contextmanager
def cancelled_when_gone(receive: Receive, wanted: CancelScope) -> Iterator[None]:
    """Cancel ``wanted`` when the client goes away; nobody else may ``receive`` meanwhile."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        wanted.cancel()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
