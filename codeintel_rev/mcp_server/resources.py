"""What clients let people attach by hand: the list of repositories, and files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, ParamSpec

import msgspec
from fastmcp import FastMCP
from fastmcp.exceptions import ResourceError

from codeintel_rev.errors import CodeIntelError
from codeintel_rev.mcp_server.adapters import files
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import ServerContext
from codeintel_rev.mcp_server.public_errors import public
from codeintel_rev.mcp_server.scopes import with_repo

P = ParamSpec("P")

REPOSITORIES: Final = "codeintel://repositories"
FILE: Final = "codeintel://repositories/{repo}/files/{path*}"


class Resources:
    """Every resource, bound to the program that it asks and to who is calling."""

    def __init__(self, context: ServerContext, who: Callable[[], Caller]) -> None:
        """Ask ``who`` at each call."""
        self._context = context
        self._who = who

    async def repositories(self) -> str:
        """List the repositories, and the branches, tags and commits that are indexed of each."""
        document = await files.list_repositories(self._context, self._who())
        return msgspec.json.encode(document).decode()

    async def file(self, repo: str, path: str) -> str:
        """Read an indexed file, its first 2,000 lines at most."""
        opened = await files.open_file(
            self._context, self._who(), path, scope=with_repo(None, repo, None)
        )
        content: str = opened["content"]
        return content


def add_resources(server: FastMCP[Any], context: ServerContext, who: Callable[[], Caller]) -> None:
    """Give a server its resources."""
    resources = Resources(context, who)
    server.resource(REPOSITORIES, title="Repositories", mime_type="application/json")(
        _telling(resources.repositories)
    )
    server.resource(FILE, title="A file", mime_type="text/plain")(_telling(resources.file))


def _telling(read: Callable[P, Awaitable[str]]) -> Callable[P, Awaitable[str]]:
    """Let a resource fail with one line, as callers may see it."""

    @wraps(read)
    async def told(*args: P.args, **kwargs: P.kwargs) -> str:
        try:
            return await read(*args, **kwargs)
        except CodeIntelError as error:
            shown = public(error)
            raise ResourceError(f"{shown.message} ({shown.hint})") from error

    return told
