"""The models that the settings name: who embeds, who writes answers, who orders hits anew."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from codeintel_rev.config.embedding import EmbeddingConfig
from codeintel_rev.config.settings import Settings
from codeintel_rev.config.vllm import VLLMConfig
from codeintel_rev.errors import SettingsError
from codeintel_rev.text.json_faults import NOT_JSON

if TYPE_CHECKING:
    from codeintel_rev.io.remote_embedder import RemoteEmbedder
    from codeintel_rev.io.vllm_chat_client import VLLMChatClient
    from codeintel_rev.io.vllm_client import VLLMClient
    from codeintel_rev.io.vllm_score_client import VLLMScoreClient
    from codeintel_rev.io.vllm_transport import VLLMTransport

CACHE_FOLDER = "embeddings"
"""Below a data directory: vectors of model servers, and the lengths that they were found to have."""

HERE = "http://127.0.0.1:8000"
"""Where vLLM serves unless it is told otherwise."""

OPENAI_URL = "https://api.openai.com"
OPENAI_MODEL = "text-embedding-3-small"

_CHAT_TIMEOUT_S = 60.0
"""Above every budget of an answer, whose own times decide."""


@dataclass(frozen=True, slots=True)
class AnswerModels:
    """The model servers of answers; belongs to one event loop."""

    chat: VLLMChatClient | None = None
    reranker: VLLMScoreClient | None = None

    @classmethod
    def of(cls, settings: Settings) -> AnswerModels:
        """Return the clients of what is configured; nothing is sent yet."""
        config = settings.vllm
        chat = reranker = None
        if config.chat_model:
            from codeintel_rev.io.vllm_chat_client import VLLMChatClient

            transport = transport_of(config, config.chat_base_url, _CHAT_TIMEOUT_S)
            chat = VLLMChatClient("", config.chat_model, transport=transport)
        if config.score_model and settings.answer.rerank_enabled:
            from codeintel_rev.io.vllm_score_client import VLLMScoreClient

            timeout_s = settings.answer.rerank_timeout_ms / 1000
            transport = transport_of(config, config.score_base_url, timeout_s)
            reranker = VLLMScoreClient("", config.score_model, max_tokens=-1, transport=transport)
        return cls(chat, reranker)

    async def close(self) -> None:
        """Close the connections."""
        for client in (self.chat, self.reranker):
            if client is not None:
                await client.close()


def is_of_server(data_dir: Path, fingerprint: str) -> bool:
    """Return whether a server made vectors of this fingerprint for the data directory."""
    from codeintel_rev.io.embedding_cache import cache_file

    return cache_file(data_dir / CACHE_FOLDER, fingerprint).is_file()


def remote_embedder(settings: Settings, data_dir: Path | None) -> RemoteEmbedder:
    """Return the embedder of the server that is configured.

    A model that is not known is asked for the length of its vectors once, which the data directory
    remembers. Raises ``SettingsError`` where no model is named, and what a server that does not
    answer raises.
    """
    from codeintel_rev.io.remote_embedder import RemoteEmbedder

    contract = contract_of(settings)
    cache = data_dir / CACHE_FOLDER if data_dir is not None else None
    if not contract.vec_dim:
        contract = replace(contract, vec_dim=_length(settings, contract, cache))
    return RemoteEmbedder(
        contract,
        lambda: _embedding_client(settings.vllm, contract),
        query_timeout_s=settings.vllm.query_timeout_ms / 1000,
        cache=cache if data_dir is not None and data_dir.is_dir() else None,
    )


def contract_of(settings: Settings) -> EmbeddingConfig:
    """Return the contract of a remote model, with what is published of it filled in."""
    embedding, config = settings.embedding, settings.vllm
    preset = OPENAI_MODEL if embedding.provider == "openai" else ""
    model_id = embedding.model_id or config.embedding_model or preset
    if not model_id:
        raise SettingsError(
            f"EMBEDDING_PROVIDER is {embedding.provider}, but no model is named",
            hint="set EMBEDDING_MODEL_ID to the model that the server serves",
            value=embedding.provider,
        )
    return replace(embedding, model_id=model_id).completed()


class _Facts(msgspec.Struct):
    """What was found out about a model."""

    model_id: str
    vec_dim: int


def _remembered(cache: Path) -> int | None:
    """Return the length that was found before; ``None`` where there is nothing that can be read."""
    try:
        return msgspec.json.decode(cache.read_bytes(), type=_Facts).vec_dim
    except (OSError, *NOT_JSON):
        return None


def _length(settings: Settings, contract: EmbeddingConfig, cache: Path | None) -> int:
    """Return the length of an unknown model's vectors: as found before, else as found now."""
    from codeintel_rev.io.durability import replace_file
    from codeintel_rev.io.remote_embedder import RemoteEmbedder

    found = cache and cache / f"{contract.fingerprint[:16]}.json"
    if found is not None and (known := _remembered(found)) is not None:
        return known
    asker = RemoteEmbedder(contract, lambda: _embedding_client(settings.vllm, contract))
    try:
        length = asker.vector_length(settings.vllm.timeout_s)
    finally:
        asker.close()
    if found is not None and found.parent.parent.is_dir():
        with suppress(OSError):  # it is asked for again
            found.parent.mkdir(exist_ok=True)
            replace_file(found, msgspec.json.encode(_Facts(contract.model_id, length)))
    return length


def _embedding_client(config: VLLMConfig, contract: EmbeddingConfig) -> VLLMClient:
    from codeintel_rev.config.known_models import KNOWN_MODELS
    from codeintel_rev.io.vllm_client import VLLMClient

    known = KNOWN_MODELS.get(contract.model_id)
    cuts = contract.provider == "vllm"
    return VLLMClient(
        "",
        config.embedding_model or contract.model_id,
        contract.vec_dim,
        normalize=contract.normalize,
        query_prefix=contract.query_prefix or "",
        document_prefix=contract.document_prefix or "",
        max_tokens=(contract.max_tokens or -1) if cuts else None,
        shortened=known is not None and contract.vec_dim != known.dim,
        transport=transport_of(config, embedding_url(config, contract.provider), config.timeout_s),
    )


def embedding_url(config: VLLMConfig, provider: str) -> str:
    """Return where the embedding model is; code leaves for OpenAI only where no address is named."""
    named = config.embedding_base_url or config.base_url
    return named or (OPENAI_URL if provider == "openai" else "")


def transport_of(config: VLLMConfig, url: str, silence_s: float) -> VLLMTransport:
    """Return the connections to a server, with the key where the settings say it goes."""
    from codeintel_rev.io.vllm_transport import Timeouts, VLLMTransport

    header = config.api_key_header.lower()
    is_bearer = header == "authorization"
    return VLLMTransport(
        url or config.base_url or HERE,
        config.api_key if is_bearer else "",
        Timeouts(read=silence_s),
        headers={header: config.api_key} if config.api_key and not is_bearer else None,
    )
