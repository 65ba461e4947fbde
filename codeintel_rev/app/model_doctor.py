"""Asking a model server for everything that it may be used for, and how long each took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from codeintel_rev.app.models import contract_of, transport_of
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError, InvalidArgument, NotFound
from codeintel_rev.io.vllm_chat_client import VLLMChatClient
from codeintel_rev.io.vllm_client import VLLMClient
from codeintel_rev.io.vllm_score_client import VLLMScoreClient
from codeintel_rev.io.vllm_transport import MODELS_PATH, VLLMTransport, served_models
from codeintel_rev.ports import Completion

_TIMEOUT_S = 30.0
_NOT_SERVED = "not served by this model"
_WORDS = [{"role": "user", "content": "Say hello in one sentence."}]
_TOKENS = 16
_USES = ("embeddings", "scores", "chat")
"""At least one of these makes a server worth something."""


class ModelFinding(msgspec.Struct, frozen=True):
    """What one question to a server gave."""

    name: str
    ok: bool
    detail: str
    ms: float
    fix: str = ""


class ModelReport(msgspec.Struct, frozen=True):
    """What a server is good for."""

    ok: bool
    checks: list[ModelFinding]


def examine_models(url: str, settings: Settings) -> ModelReport:
    """Ask the server at ``url`` for each use of a model, with the key of the settings.

    Raises ``InvalidArgument`` for what is no address.
    """
    config = replace(settings.vllm, base_url=url)
    return asyncio.run(_examine(transport_of(config, url, _TIMEOUT_S), settings))


async def _examine(transport: VLLMTransport, settings: Settings) -> ModelReport:
    try:
        names: list[str] = []
        reachable = await _asked("models", lambda: _models(transport, names))
        if not reachable.ok or not names:
            return ModelReport(False, [reachable])
        model = _wanted(names, settings)
        probe = _Probe(transport, model, settings)
        found = [
            await _asked("embeddings", probe.embeddings),
            await _asked("scores", probe.scores),
            await _asked("chat", probe.chat),
            await _asked("tokenizer", probe.tokenizer),
        ]
        useful = any(f.ok and f.name in _USES and f.detail != _NOT_SERVED for f in found)
        return ModelReport(useful and all(f.ok for f in found), [reachable, *found])
    finally:
        await transport.close()


async def _asked(name: str, ask: Callable[[], Awaitable[str]]) -> ModelFinding:
    started = time.perf_counter()
    ok, fix = True, ""
    try:
        detail = await ask()
    except (NotFound, InvalidArgument) as error:
        detail = _NOT_SERVED
        if name == "models" or isinstance(error, _BreachError):
            ok, detail, fix = False, error.message, error.hint
    except CodeIntelError as error:
        ok, detail, fix = False, error.message, error.hint
    return ModelFinding(name, ok, detail, round((time.perf_counter() - started) * 1000, 1), fix)


class _BreachError(InvalidArgument):
    """Raised when a server gives what the settings do not expect."""


async def _models(transport: VLLMTransport, names: list[str]) -> str:
    reply = await transport.get(MODELS_PATH)
    names += served_models(reply)
    rows = reply.get("data", []) if isinstance(reply, dict) else []
    lengths = [row.get("max_model_len") for row in rows if isinstance(row, dict)]
    told = [f"{n} tokens" for n in lengths if isinstance(n, int)]
    return ", ".join([*names, *told]) or "none"


def _wanted(names: list[str], settings: Settings) -> str:
    """Return the served model that the settings name, else the first."""
    vllm = settings.vllm
    configured = (
        vllm.embedding_model,
        settings.embedding.model_id,
        vllm.chat_model,
        vllm.score_model,
    )
    return next((name for name in configured if name in names), names[0])


class _Probe(NamedTuple):
    """Questions to one model."""

    transport: VLLMTransport
    model: str
    settings: Settings

    async def embeddings(self) -> str:
        """Return the length of a vector; raises when another one is configured."""
        client = VLLMClient("", self.model, 0, transport=self.transport)
        length = await client.vector_length()
        if self.settings.embedding.is_remote:
            wanted = contract_of(self.settings).vec_dim
            if wanted not in (0, length):
                raise _BreachError(
                    f"dimension mismatch: it gives vectors of {length}, {wanted} are configured",
                    hint=f"set EMBEDDING_VEC_DIM={length} and run `codeintel index`",
                )
        return f"{length} dimensions"

    async def scores(self) -> str:
        """Return how two texts compare with a question."""
        client = VLLMScoreClient("", self.model, transport=self.transport)
        near, far = await client.rerank("read a file", ["open and read the file", "paint a wall"])
        return f"{near:.2f} for what fits, {far:.2f} for what does not"

    async def chat(self) -> str:
        """Return how fast a short completion streams."""
        client = VLLMChatClient("", self.model, transport=self.transport)
        told = Completion()
        started, first = time.perf_counter(), 0.0
        async for _ in client.stream_completion(_WORDS, max_tokens=_TOKENS, told=told):
            first = first or time.perf_counter()
        first = first or time.perf_counter()
        rest, written = time.perf_counter() - first, (told.tokens_out or 1) - 1
        speed = f", then {written / rest:.0f} tokens/s" if rest > 0 and written else ""
        return f"first token after {(first - started) * 1000:.0f} ms{speed}"

    async def tokenizer(self) -> str:
        """Return how many tokens a line of code has."""
        line = "def read_file(path): return open(path).read()"
        reply: Any = await self.transport.post("/tokenize", {"model": self.model, "prompt": line})
        count = reply.get("count") if isinstance(reply, dict) else None
        return f"{count} tokens for {len(line)} characters of code"
