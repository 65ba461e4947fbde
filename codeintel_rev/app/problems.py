"""How HTTP tells that something went wrong: problem documents (RFC 9457), and their status."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from starlette.responses import Response

from codeintel_rev.errors import CodeIntelError
from codeintel_rev.mcp_server.public_errors import public

Document = dict[str, Any]

STATUS: Final = {
    "invalid_argument": 400,
    "query_too_long": 400,
    "unknown_language": 400,
    "bad_glob": 400,
    "path_outside_root": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "unsupported_encoding": 422,
    "scope_empty": 422,
    "rate_limited": 429,
    "internal": 500,
    "busy": 503,
    "index_missing": 503,
    "unavailable": 503,
    "deadline": 504,
}
"""Error code to HTTP status."""

TITLES: Final = {
    "invalid_argument": "The request cannot be used",
    "query_too_long": "The query is too long",
    "unknown_language": "The language is not known",
    "bad_glob": "The glob cannot be read",
    "path_outside_root": "The path leads out of the repository",
    "unauthenticated": "A token is needed",
    "forbidden": "Not allowed",
    "not_found": "Not found",
    "unsupported_encoding": "The file is no text",
    "scope_empty": "The scope selects nothing",
    "rate_limited": "Too many requests",
    "internal": "A fault of the server",
    "busy": "The server is busy",
    "index_missing": "There is no index to serve",
    "unavailable": "A service does not work",
    "deadline": "Not done in time",
}

RETRY_AFTER_S: Final = {"rate_limited": 1, "busy": 1, "index_missing": 5, "unavailable": 5}
"""When to try again, for what passes."""


def problem(
    error: CodeIntelError,
    request_id: str,
    *,
    status: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the response for an error, as callers may see it."""
    error = public(error)
    status = status or STATUS[error.code]
    document = {
        "type": f"urn:codeintel:error:{error.code}",
        "title": TITLES[error.code],
        "status": status,
        "detail": error.message,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "request_id": request_id,
    }
    found = dict(headers or {})
    if error.code in RETRY_AFTER_S:
        found.setdefault("Retry-After", str(RETRY_AFTER_S[error.code]))
    if error.code == "unauthenticated":
        found.setdefault("WWW-Authenticate", "Bearer")
    return json_response(document, status, found, "application/problem+json")


def json_response(
    document: Document,
    status: int = 200,
    headers: dict[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return a document as a response."""
    return Response(encoded(document), status, headers, media_type)


def encoded(document: Document) -> bytes:
    """Return a document as JSON; half a surrogate pair, as in odd file names, is escaped."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return json.dumps(document).encode()
