"""``codeintel mcp``."""

from __future__ import annotations

import gc

from codeintel_rev.cli.options import DataDir, Repo, command_app

app = command_app()


@app.command()
def mcp(data_dir: DataDir = None, repo: Repo = None) -> None:
    """Serve an index over standard input and output, by MCP.

    The tools are those of the Model Context Protocol that `serve` has at /mcp. Made to be started
    by an agent. Indexes the repository first when there is no index, and keeps it up to date;
    searches say `index_missing` until the first index is there.
    """
    from codeintel_rev.cli.serving import place_of, require_server

    require_server()
    gc.disable()  # until all is loaded, of which nothing is garbage: to look for it took an eighth
    from codeintel_rev.app.stdio import serve_stdio

    place = place_of(data_dir, repo)
    serve_stdio(place.settings, place.root)
