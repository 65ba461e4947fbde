"""Where a server's log goes: lines to standard error, and no library has its own way."""

from __future__ import annotations

import logging


def quiet_libraries() -> None:
    """Let the MCP library log as everybody does, and only what is worth a look."""
    logging.basicConfig(format="codeintel: %(levelname)s %(name)s: %(message)s")
    library = logging.getLogger("fastmcp")
    for handler in list(library.handlers):
        library.removeHandler(handler)
    library.propagate = True
    library.setLevel(logging.ERROR)
