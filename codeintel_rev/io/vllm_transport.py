"""HTTP to model servers: one connection pool, one table of errors, retries within a deadline."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from codeintel_rev.config.extras import install_command
from codeintel_rev.errors import (
    CodeIntelError,
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    Unavailable,
)
from codeintel_rev.io.base_url import normalised_base_url
from codeintel_rev.text.json_faults import NOT_JSON

try:
    import httpx2 as httpx
except ImportError as missing:
    raise Unavailable(
        "model servers are asked with httpx2, which is not installed",
        hint=install_command("server"),
        value="httpx2",
    ) from missing

MODELS_PATH = "/v1/models"
_CHECK_S = 1.5
"""A server that does not tell its models within this time is away."""

MAX_REPLY_BYTES = 64 << 20
"""A larger reply is refused while it arrives."""

_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT_STATUS = frozenset({404, 405, 501})
_FAILURES: Mapping[type[Exception], str] = {
    httpx.ConnectError: "cannot be reached",
    httpx.ConnectTimeout: "cannot be reached in time",
    httpx.RemoteProtocolError: "broke the connection off",
    httpx.ReadError: "broke the connection off",
}
_SHOWN_CHARS = 300
"""Characters of a server's own complaint that are repeated."""


class Timeouts(NamedTuple):
    """Seconds that each phase of a request may take."""

    connect: float = 2.0
    read: float = 30.0
    """Between two pieces of a reply."""
    write: float = 10.0
    pool: float = 5.0
    """Until a connection of the pool is free."""


class Retries(NamedTuple):
    """How often a request is sent that is safe to send again."""

    attempts: int = 3
    first_pause_s: float = 0.1
    """Doubled from one to the next, and drawn between half and the whole of that."""
    longest_pause_s: float = 5.0

    def pause_s(self, attempt: int, wish_s: float | None) -> float:
        """Return how long to wait after the failed ``attempt``, counted from 1."""
        if wish_s is not None:
            return min(wish_s, self.longest_pause_s)
        limit = min(self.first_pause_s * 2.0 ** (attempt - 1), self.longest_pause_s)
        return limit * random.uniform(0.5, 1.0)  # noqa: S311  spreads retries, guards nothing


class VLLMTransport:
    """Requests to one server that speaks OpenAI's protocol; safe for concurrent use on one loop.

    The key is sent as a bearer token and never shown. A ``/v1`` at the end of ``base_url`` is
    left out: paths name it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str = "",
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connections: int = 64,
    ) -> None:
        """Make the pool; nothing is sent yet.

        ``headers`` go with every request (Azure wants its key as ``api-key``); ``transport``
        stands for the network.
        """
        self.base_url = normalised_base_url(base_url)
        self._retries = retries or Retries()
        own = {"authorization": f"Bearer {api_key}"} if api_key else {}
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(
            base_url=self.base_url,
            headers={**own, **(headers or {})},
            timeout=httpx.Timeout(**(timeouts or Timeouts())._asdict()),
            limits=limits,
            transport=transport,
            trust_env=False,
            # reading the authorities takes 20 ms, and without TLS nobody asks for them
            verify=self.base_url.startswith("https:"),
        )

    def __repr__(self) -> str:
        return f"VLLMTransport({self.base_url!r})"

    async def close(self) -> None:
        """Close the pool; requests under way are cancelled by their own tasks."""
        await self._client.aclose()

    async def get(self, path: str, deadline: float | None = None) -> Any:
        """Return the JSON document at a path; see ``post``."""
        return await self._repeated("GET", path, None, deadline)

    async def post(self, path: str, body: Mapping[str, Any], deadline: float | None = None) -> Any:
        """Return the JSON reply to ``body``; sent again where that is safe and may help.

        ``deadline`` is a moment of ``time.monotonic()``.

        Raises:
            NotFound: the server has no such endpoint or model.
            InvalidArgument: the server refuses what was sent.
            DeadlineExceeded: there was no reply in time.
            Unavailable: anything else.

        """
        return await self._repeated("POST", path, body, deadline)

    @asynccontextmanager
    async def stream(
        self, path: str, body: Mapping[str, Any]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a streamed reply; leaving the block closes the request. Raises as ``post`` does.

        It is sent again only as long as the server has not begun to answer.
        """
        for attempt in range(1, self._retries.attempts + 1):
            request = self._request("POST", path, body)
            try:
                response = await self._client.send(request, stream=True)
            except httpx.HTTPError as error:
                if not isinstance(error, httpx.ConnectError) or attempt == self._retries.attempts:
                    raise self._failure(path, error) from error
                await asyncio.sleep(self._retries.pause_s(attempt, None))
                continue
            try:
                if response.is_success:
                    yield self._bytes(path, response)
                    return
                text = (await response.aread())[: 4 * _SHOWN_CHARS]
                if response.status_code not in (429, 503) or attempt == self._retries.attempts:
                    raise self._refusal(path, response.status_code, text)
            finally:
                await response.aclose()
            await asyncio.sleep(self._retries.pause_s(attempt, _retry_after(response)))

    async def _bytes(self, path: str, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except httpx.HTTPError as error:
            raise self._failure(path, error) from error

    async def _repeated(
        self, method: str, path: str, body: Mapping[str, Any] | None, deadline: float | None
    ) -> Any:
        for attempt in range(1, self._retries.attempts + 1):
            wish_s: float | None = None
            try:
                async with asyncio.timeout(_left_s(deadline)):
                    status, reply, wish_s = await self._sent(method, path, body)
                if status < 400:
                    return self._decoded(path, reply)
                failure: CodeIntelError = self._refusal(path, status, reply)
                if status not in _RETRIED_STATUS:
                    raise failure
            except TimeoutError as error:
                raise self._late(path) from error
            except httpx.HTTPError as error:
                failure = self._failure(path, error)
                failure.__cause__ = error
            pause_s = self._retries.pause_s(attempt, wish_s)
            left_s = _left_s(deadline)
            if attempt == self._retries.attempts or (left_s is not None and pause_s >= left_s):
                raise failure
            await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    async def _sent(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, bytes, float | None]:
        """Return status, body and how long the server wants to be left alone."""
        response = await self._client.send(self._request(method, path, body), stream=True)
        try:
            reply = bytearray()
            async for chunk in response.aiter_bytes():
                reply += chunk
                if len(reply) > MAX_REPLY_BYTES:
                    raise Unavailable(
                        f"the reply of {self._place(path)} passes {MAX_REPLY_BYTES} bytes",
                        hint="ask for less at a time, or check the server",
                    )
            return response.status_code, bytes(reply), _retry_after(response)
        finally:
            await response.aclose()

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Request:
        headers = {"x-request-id": uuid.uuid4().hex}
        if body is None:
            return self._client.build_request(method, path, headers=headers)
        headers["content-type"] = "application/json"
        return self._client.build_request(
            method, path, content=msgspec.json.encode(body), headers=headers
        )

    def _decoded(self, path: str, reply: bytes) -> Any:
        try:
            return msgspec.json.decode(reply)
        except NOT_JSON as error:
            raise Unavailable(
                f"{self._place(path)} did not reply with JSON: {_shown(reply)!r}",
                hint="check that the address is that of a model server",
            ) from error

    def _refusal(self, path: str, status: int, reply: bytes) -> CodeIntelError:
        said = _complaint(reply)
        message = f"{self._place(path)} replied {status}{f': {said}' if said else ''}"
        if status in (401, 403):
            return Unavailable(message, hint="set VLLM_API_KEY to a key that the server accepts")
        if status in _ABSENT_STATUS:
            return NotFound(message, hint="check the address and the name of the model")
        if status in (400, 413, 422):
            return InvalidArgument(message, hint="the server's own words say what it refused")
        return Unavailable(message, hint="the server is overloaded or broken; see its log")

    def _failure(self, path: str, error: Exception) -> CodeIntelError:
        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout):
            return self._late(path)
        what = next(
            (words for kind, words in _FAILURES.items() if isinstance(error, kind)), "failed"
        )
        detail = str(error) or type(error).__name__
        return Unavailable(
            f"{self._place(path)} {what}: {detail}", hint="check that the server runs there"
        )

    def _late(self, path: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._place(path)} did not answer in time",
            hint="give it more time, or check the load of the server",
        )

    def _place(self, path: str) -> str:
        return f"{self.base_url}{path}"


def _left_s(deadline: float | None) -> float | None:
    return None if deadline is None else deadline - time.monotonic()


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _complaint(reply: bytes) -> str:
    """Return what a server said in its reply, in one short line."""
    try:
        document = msgspec.json.decode(reply)
    except NOT_JSON:
        return _shown(reply)
    while isinstance(document, dict):
        document = document.get("error", document.get("message", document.get("detail", "")))
    return _shown(str(document).encode())


def _shown(reply: bytes) -> str:
    return " ".join(reply.decode("utf-8", "replace").split())[:_SHOWN_CHARS]


class ModelClient:
    """A client of one model; closes its connections at the end of an ``async with`` block."""

    def __init__(self, model_id: str, transport: VLLMTransport) -> None:
        self.model_id = model_id
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def check(self) -> str:
        """Return where the model is served, if it is.

        Raises ``NotFound`` when the server lists other models alone, ``DeadlineExceeded`` or
        ``Unavailable`` when it does not answer.
        """
        names = served_models(await self._models())
        if names and self.model_id not in names:
            raise NotFound(
                f"{self._transport.base_url} serves {', '.join(names)}, not {self.model_id}",
                hint="set the name of the model to one that is served, or serve it",
                value=self.model_id,
            )
        return f"{self.model_id} at {self._transport.base_url}"

    async def _models(self) -> Any:
        return await self._transport.get(MODELS_PATH, time.monotonic() + _CHECK_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()


def served_models(reply: Any) -> list[str]:
    """Return the names in a reply of ``MODELS_PATH``; none where a server has no such list."""
    return [row["id"] for row in _rows(reply) if isinstance(row.get("id"), str)]


def context_length(reply: Any, model_id: str) -> int | None:
    """Return the tokens that a model takes by a reply of ``MODELS_PATH``, where it tells them."""
    for row in _rows(reply):
        length = row.get("max_model_len")
        if row.get("id") == model_id and type(length) is int and length > 0:
            return length
    return None


def _rows(reply: Any) -> list[Mapping[str, Any]]:
    rows = reply.get("data") if isinstance(reply, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
