"""What tells a client where to get its token (RFC 9728)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codeintel_rev.app.mcp_endpoint import PATH as MCP_PATH
from codeintel_rev.app.problems import json_response
from codeintel_rev.config.settings import Settings

PATH: Final = "/.well-known/oauth-protected-resource"

PATHS: Final = frozenset({PATH, f"{PATH}{MCP_PATH}"})
"""Of the server, and of its tools; asked before there is a token."""


def metadata_routes(settings: Settings) -> list[Route]:
    """Return the routes that name the issuer, where there is one and the server's address is known."""
    if not metadata_address(settings):
        return []
    public = settings.server.public_url.rstrip("/")
    document = {
        "authorization_servers": [settings.oidc.issuer],
        "bearer_methods_supported": ["header"],
        "resource_name": "codeintel",
    }

    async def told(request: Request) -> Response:
        resource = f"{public}{request.url.path.removeprefix(PATH)}"
        return json_response({"resource": resource, **document})

    return [Route(path, told, methods=["GET"]) for path in sorted(PATHS)]


def metadata_address(settings: Settings) -> str:
    """Return where clients find the issuer of tokens; empty where they cannot."""
    public = settings.server.public_url.rstrip("/")
    return f"{public}{PATH}{MCP_PATH}" if public and settings.oidc.issuer else ""
