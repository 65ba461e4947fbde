"""``codeintel serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="0 takes any free one.")
    ] = 8080,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=256, metavar="N", help="Processes that serve.")
    ] = 1,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Serve an index over HTTP: a JSON API, and MCP at /mcp.

    Indexes the repository first when there is no index, and keeps it up to date, in a process
    beside those that serve. Ends at Ctrl-C or SIGTERM, once what is under way is done.
    """
    from codeintel_rev.cli.serving import place_of, require_server

    require_server()
    from codeintel_rev.app.workers import serve as run

    output: Output = ctx.obj
    place = place_of(data_dir, repo)
    run(
        place.settings,
        place.root,
        host,
        port,
        workers,
        lambda address: output.note(f"serving {place.settings.data_dir} on {address}"),
    )
