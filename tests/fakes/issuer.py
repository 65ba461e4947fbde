"""An OpenID Connect issuer of a few lines on a real socket: its document, its keys, its tokens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey


class Issuer:
    """What it publishes, to be changed by a test, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.document: dict[str, Any] = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.asked: list[str] = []

    def token(self, *, key: RSAKey | None = None, **claims: Any) -> str:
        """A token that is good for an hour, but for what ``claims`` say; ``None`` takes one away."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": "codeintel", "sub": "ann", "iat": now, "exp": now + 3600}
        told = {name: value for name, value in (usual | claims).items() if value is not None}
        key = key or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, told, key)

    def answer(self, path: str) -> Any:
        self.asked.append(path)
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return self.document


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
