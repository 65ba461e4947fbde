"""What a client is told: a tool's document or, when it fails, one JSON text ``{code, message, hint}``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import msgspec
from fastmcp.exceptions import FastMCPError, NotFoundError, ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent
from pydantic import ValidationError as PydanticValidationError

from codeintel_rev.errors import CodeIntelError, InvalidArgument, NotFound
from codeintel_rev.mcp_server.public_errors import public

P = ParamSpec("P")

META = "_meta"
"""Key of a document under which a tool puts what is about its reply rather than in it."""

_SHOWN_FAULTS = 5
_FAULT = CodeIntelError("this is a fault of the server", hint="its log tells what happened")


def telling(tool: Callable[P, Awaitable[Any]]) -> Callable[P, Awaitable[ToolResult]]:
    """Let a tool answer with its document, and fail with that of an error.

    What went wrong is the caller's, and not logged. The library would check the document against
    the tool's schema once more, which costs as much as a search.
    """

    @wraps(tool)
    async def told(*args: P.args, **kwargs: P.kwargs) -> ToolResult:
        try:
            document = await tool(*args, **kwargs)
        except CodeIntelError as error:
            raise tool_error(error) from error
        meta = document.pop(META, None)
        text = msgspec.json.encode(document).decode()
        return ToolResult([TextContent(type="text", text=text)], document, meta)

    return told


class ErrorDocuments(Middleware):
    """Turns what fails outside of a tool into the same document; a fault of ours says no more."""

    async def on_call_tool(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        """Call the tool, and tell what goes wrong."""
        try:
            return await call_next(context)
        except ValidationError as error:
            raise tool_error(_bad_arguments(context.message.name, error)) from error
        except NotFoundError as error:
            raise tool_error(_unknown_tool(context.message.name)) from error
        except FastMCPError as error:
            if isinstance(error.__cause__, CodeIntelError):
                raise
            raise tool_error(_FAULT) from error  # which the library has logged


def tool_error(error: CodeIntelError) -> ToolError:
    """Return the error of a tool for ``error``, as callers may see it."""
    error = public(error)
    document = {"code": error.code, "message": error.message, "hint": error.hint}
    return ToolError(msgspec.json.encode(document).decode(), log_level=logging.DEBUG)


def validation_faults(faults: Sequence[Any]) -> str:
    """Return the first few of pydantic's faults in words."""
    told = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {fault['msg']}"
        for fault in faults[:_SHOWN_FAULTS]
    ]
    return "; ".join(told)


def _bad_arguments(tool: str, error: ValidationError) -> CodeIntelError:
    cause = error.__cause__
    why = "these arguments do not fit"
    if isinstance(cause, PydanticValidationError):
        why = validation_faults(
            cause.errors(include_url=False, include_context=False, include_input=False)
        )
    return InvalidArgument(f"{tool} cannot be called so: {why}", hint="see the tool's input schema")


def _unknown_tool(name: str) -> CodeIntelError:
    return NotFound(f"there is no tool {name[:80]!r}", hint="list the tools", value=name[:80])
