"""Requests to /mcp that no client ought to send, drawn with a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

TOOLS: dict[str, tuple[str, ...]] = {
    "set_scope": ("scope", "session"),
    "semantic_search": ("query", "limit", "scope", "session"),
    "answer_query": ("query", "scope", "top_k", "rerank_top_n", "time_budget_ms"),
    "search_text": ("query", "regex", "case_sensitive", "paths", "include_globs", "scope"),
    "find_related": ("path", "line", "limit", "repo", "ref"),
    "list_paths": ("path", "include_globs", "exclude_globs", "max_results", "repo", "ref"),
    "open_file": ("path", "start_line", "end_line", "repo", "ref"),
    "symbol_search": ("query", "kind", "language", "limit"),
    "definition_at": ("path", "line", "character", "repo", "ref"),
    "references_at": ("path", "line", "character", "repo", "ref"),
    "blame_range": ("path", "start_line", "end_line", "repo", "ref"),
    "file_history": ("path", "limit", "repo", "ref"),
    "no_such_tool": ("query",),
}
FAIR: dict[str, Any] = {
    "query": "total price",
    "path": "price.py",
    "line": 1,
    "character": 5,
    "start_line": 1,
    "end_line": 2,
    "scope": {},
    "regex": True,
}


def nested(depth: int) -> Any:
    """Return a mapping in a list in a mapping ... ``depth`` deep."""
    found: Any = "x"
    for level in range(depth):
        found = [found] if level % 2 else {"include_globs": found}
    return found


ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    "",
    " ",
    "\0",
    "\ud800",
    "\u202e\u200b",
    "a" * 20_000,
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "C:\\windows",
    "--upload-pack=touch /tmp/x",
    "-c core.pager=id",
    "HEAD; id",
    "@{-1}",
    "(a+)+$",
    "(?<=x)y",
    "[",
    "**/**/**/**/*",
    "{a,b",
    "'; DROP TABLE chunk; --",
    "%_\\",
    [],
    [None],
    ["price.py"] * 500,
    {},
    {"repos": ["../.."]},
    {"repos": "shop", "languages": [1]},
    {"include_globs": ["[" * 100]},
    {"a": {"b": {"c": {}}}},
    nested(200),
    nested(700),
)
METHODS = (
    "tools/call",
    "tools/list",
    "initialize",
    "ping",
    "resources/read",
    "prompts/get",
    "x",
    "",
)
HEADERS = (
    {"Accept": "text/html"},
    {"Content-Type": "text/plain"},
    {"MCP-Protocol-Version": "1999-01-01"},
    {"Mcp-Session-Id": "forged"},
    {"Mcp-Session-Id": "x" * 4_000},
    {"X-Session-ID": "../.."},
    {"Origin": "https://evil.example"},
    {"Host": "evil.example"},
)
DEEP = b"".join(
    [
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"semantic_search",',
        b'"arguments":{"query":"price","scope":{"repos":',
        b"[" * 50_000 + b"]" * 50_000 + b"}}}}",
    ]
)
"""A call in which all is well but how deep it goes."""

NEWER = "2026-07-28"
"""The revision of the protocol whose calls stand alone; those of the older belong to a session."""

USUAL = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


Manner = Literal["fair", "half", "gone"]


class Request(NamedTuple):
    """What is sent, and how: all of it, half of the body, or without waiting for the answer."""

    method: str
    headers: dict[str, str]
    body: bytes
    manner: Manner = "fair"


def requests(count: int, seed: int, sessions: Sequence[str]) -> Iterator[Request]:
    """Yield ``count`` requests, the same for the same seed, many of them in one of ``sessions``."""
    draw = random.Random(seed)
    for _ in range(count):
        kind = draw.random()
        headers = dict(USUAL)
        if kind < 0.3:
            headers["Mcp-Session-Id"] = draw.choice(sessions)
            body = encoded(call(draw))
        elif kind < 0.6:
            document = call(draw)
            headers |= make_newer(document)
            body = encoded(document)
        elif kind < 0.85:
            body = encoded(message(draw))
        else:
            body = garbled(draw, encoded(call(draw)))
        headers |= draw.choice(HEADERS) if draw.random() < 0.1 else {}
        method = draw.choice(["GET", "DELETE", "PUT"]) if draw.random() < 0.03 else "POST"
        manner: Manner = draw.choice(["half", "gone"]) if draw.random() < 0.05 else "fair"
        yield Request(method, headers, body, manner)


def make_newer(document: dict[str, Any]) -> dict[str, str]:
    """Make a call one of the newer protocol; returns the headers that it needs."""
    about = "io.modelcontextprotocol/"
    document["params"]["_meta"] = {
        f"{about}protocolVersion": NEWER,
        f"{about}clientCapabilities": {},
    }
    name = document["params"]["name"]
    return {"MCP-Protocol-Version": NEWER, "Mcp-Method": "tools/call", "Mcp-Name": name}


def hello() -> bytes:
    """Return the message that begins a session of the older protocol."""
    client = {"name": "t", "version": "1"}
    parameters = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
    return encoded(envelope("initialize", parameters))


def call(draw: random.Random) -> dict[str, Any]:
    """Return a call of a tool, some of whose arguments are odd."""
    tool, names = draw.choice(list(TOOLS.items()))
    arguments = {name: FAIR[name] for name in names if name in FAIR}
    for name in draw.sample(names, draw.randint(1, len(names))):
        arguments[name] = draw.choice(ODD)
    if draw.random() < 0.1:
        arguments[str(draw.choice(ODD))] = draw.choice(ODD)
    return envelope("tools/call", {"name": tool, "arguments": arguments})


def envelope(method: Any, parameters: Any, number: Any = 1) -> dict[str, Any]:
    """Return a message of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}


def message(draw: random.Random) -> Any:
    """Return a message whose parts may be anything."""
    whole = envelope(draw.choice(METHODS), draw.choice(ODD), draw.choice(ODD))
    for name in draw.sample(sorted(whole), draw.randint(0, 2)):
        if draw.random() < 0.5:
            del whole[name]
        else:
            whole[name] = draw.choice(ODD)
    return draw.choice([whole, whole, [whole, whole], [whole] * 100, draw.choice(ODD)])


def garbled(draw: random.Random, body: bytes) -> bytes:
    """Return bytes that are no JSON, or JSON that nobody writes."""
    at = draw.randrange(len(body) + 1)
    return draw.choice(
        [
            body[:at],
            body[:at] + draw.randbytes(8) + body[at:],
            draw.randbytes(64),
            b"",
            b"[" * 20_000,
            b'{"a":' * 20_000,
            b'{"jsonrpc":"2.0","jsonrpc":"1.0","id":1,"method":"ping"}',
            b'{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}',
            b"1" * 50_000,
            DEEP,
            b"\xff\xfe" + body,
        ]
    )


def encoded(document: Any) -> bytes:
    """Return a document as JSON in ASCII, lone surrogates as escapes."""
    return json.dumps(document).encode()
