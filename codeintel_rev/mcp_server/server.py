"""The MCP server: a pure factory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastmcp import FastMCP
from mcp_types import ToolAnnotations

from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import ServerContext
from codeintel_rev.mcp_server.progress import Progress
from codeintel_rev.mcp_server.prompts import add_prompts
from codeintel_rev.mcp_server.replies import ErrorDocuments, telling
from codeintel_rev.mcp_server.resources import add_resources
from codeintel_rev.mcp_server.tools import Tools

INSTRUCTIONS: Final = """\
Searches and reads indexed code repositories. Start with semantic_search, or with answer_query for a
question that wants a cited answer; follow up with open_file on the lines that matter. Use
symbol_search, definition_at and references_at for names, blame_range and file_history for who and
why. Paths are relative to a repository's root, lines and columns count from 1, ranges include both
ends. Pass `scope` to narrow a single search.\
"""

_READS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_SETS: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def create_server(context: ServerContext, who: Callable[[], Caller], version: str) -> FastMCP[Any]:
    """Return a server whose tools and resources ask ``context``; ``who`` tells at each call who is calling."""
    server: FastMCP[Any] = FastMCP(
        "codeintel",
        instructions=INSTRUCTIONS,
        version=version,
        middleware=[ErrorDocuments(), Progress()],
        mask_error_details=True,
    )
    tools = Tools(context, who)
    server.tool(telling(tools.set_scope), title="Set the session's scope", annotations=_SETS)
    for tool, title in (
        (tools.semantic_search, "Search code"),
        (tools.answer_query, "Answer a question"),
        (tools.search_text, "Search text"),
        (tools.find_related, "Find similar code"),
        (tools.list_paths, "List files"),
        (tools.open_file, "Read a file"),
        (tools.symbol_search, "Find definitions by name"),
        (tools.definition_at, "Go to definition"),
        (tools.references_at, "Find references"),
        (tools.blame_range, "Blame lines"),
        (tools.file_history, "List a file's commits"),
    ):
        server.tool(telling(tool), title=title, annotations=_READS)
    add_resources(server, context, who)
    add_prompts(server)
    return server
