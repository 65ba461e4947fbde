"""The tools over standard input and output, for one agent on this machine."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from codeintel_rev import __version__
from codeintel_rev.app.loaded_later import LoadedLater
from codeintel_rev.app.logs import quiet_libraries
from codeintel_rev.app.refresher_process import RefresherProcess
from codeintel_rev.config.settings import Settings
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import ServerContext
from codeintel_rev.mcp_server.server import create_server

if TYPE_CHECKING:
    from codeintel_rev.app.config_context import ApplicationContext

_AGENT = Caller(session="stdio")
"""Who speaks over standard input is one session, and may see everything."""

_PROGRAM: Final = "codeintel_rev.app.config_context"


def serve_stdio(settings: Settings, root: Path) -> None:
    """Serve until standard input ends; ``root`` is indexed where there is no index yet.

    An agent may begin without a server that is slow to start. So the tools are told at once, and
    what they need is loaded meanwhile.
    """
    quiet_libraries()
    asyncio.run(_serve(settings, root))


async def _serve(settings: Settings, root: Path) -> None:
    async with AsyncExitStack() as resources:

        async def load() -> ServerContext:
            if settings.server.refresh:
                assert settings.data_dir is not None
                refresher = RefresherProcess(settings.data_dir, root)
                resources.push_async_callback(asyncio.to_thread, refresher.close)
            try:
                program = await asyncio.to_thread(import_module, _PROGRAM)
                context: ApplicationContext = await program.ApplicationContext.create(settings)
            finally:
                gc.freeze()  # what is loaded stays
                gc.enable()
            resources.push_async_callback(context.close)
            return context

        later = LoadedLater(settings, load)
        server = create_server(later, lambda: replace(_AGENT, notes={}), __version__)
        server.add_middleware(later)
        try:
            await server.run_stdio_async(show_banner=False)
        finally:
            await later.close()
