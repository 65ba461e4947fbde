"""The program around the tools, loaded while its server already answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastmcp.exceptions import ResourceError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import Code, Scopes, ServerContext
from codeintel_rev.mcp_server.replies import tool_error

T = TypeVar("T")

_log = logging.getLogger(__name__)


class LoadedLater(Middleware):
    """Stands for a program that is not there yet (``ServerContext``); what is asked of it waits.

    It is loaded as soon as the first message is answered. Where that fails, the log says why, and
    so does every call.
    """

    def __init__(
        self, settings: Settings, load: Callable[[], Coroutine[Any, Any, ServerContext]]
    ) -> None:
        """``load`` is called once."""
        self.settings = settings
        self._load = load
        self._loading: asyncio.Task[ServerContext] | None = None

    async def close(self) -> None:
        """Wait until loading has ended, however it does."""
        if self._loading is not None:
            await asyncio.wait({self._loading})

    async def on_message(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Answer a message, and begin to load."""
        try:
            return await call_next(context)
        finally:
            self._begun()

    async def on_call_tool(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Call a tool once all is there."""
        try:
            await asyncio.shield(self._begun())
        except CodeIntelError as error:
            raise tool_error(error) from error
        return await call_next(context)

    async def on_read_resource(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Read a resource once all is there."""
        try:
            await asyncio.shield(self._begun())
        except CodeIntelError as error:
            raise ResourceError(f"{error.message} ({error.hint})") from error
        return await call_next(context)

    @property
    def scope_store(self) -> Scopes:
        """The scopes of sessions."""
        return self._begun().result().scope_store

    def code(self, caller: Caller) -> Code:
        """Return the code that a caller may see."""
        return self._begun().result().code(caller)

    async def run(
        self, work: Callable[[], T], timeout_ms: float | None = None, *, quick: bool = False
    ) -> T:
        """Return what ``work`` returns, called on a thread."""
        return await self._begun().result().run(work, timeout_ms, quick=quick)

    def _begun(self) -> asyncio.Task[ServerContext]:
        if self._loading is None:
            self._loading = asyncio.create_task(self._loaded())
        return self._loading

    async def _loaded(self) -> ServerContext:
        try:
            return await self._load()
        except CodeIntelError as error:
            _log.error("nothing can be served: %s (%s)", error.message, error.hint)
            raise
        except Exception as error:
            _log.exception("nothing can be served")
            raise CodeIntelError(
                "the server could not be loaded", hint="its log tells what happened"
            ) from error
