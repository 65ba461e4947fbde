"""The tools over standard input and output, for one agent on this machine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from codeintel_rev import __version__
from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.logs import quiet_libraries
from codeintel_rev.app.refresher_process import RefresherProcess
from codeintel_rev.config.settings import Settings
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.server import create_server

_AGENT = Caller(session="stdio")
"""Who speaks over standard input is one session, and may see everything."""


def serve_stdio(settings: Settings, root: Path) -> None:
    """Serve until standard input ends; ``root`` is indexed where there is no index yet."""
    quiet_libraries()
    asyncio.run(_serve(settings, root))


async def _serve(settings: Settings, root: Path) -> None:
    async with AsyncExitStack() as resources:
        if settings.server.refresh:
            assert settings.data_dir is not None
            refresher = RefresherProcess(settings.data_dir, root)
            resources.push_async_callback(asyncio.to_thread, refresher.close)
        context = await ApplicationContext.create(settings)
        resources.push_async_callback(context.close)
        server = create_server(context, lambda: replace(_AGENT, notes={}), __version__)
        await server.run_stdio_async(show_banner=False)
