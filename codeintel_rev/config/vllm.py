"""Model servers: where they are and which models they serve."""

from __future__ import annotations

from dataclasses import dataclass, field

from codeintel_rev.config.durations import Milliseconds, Seconds


@dataclass(frozen=True, slots=True)
class VLLMConfig:
    """Servers of models that speak OpenAI's protocol; see docs/vllm.md."""

    base_url: str = ""
    """Where the models are served, unless another address is named for one; empty = here."""
    embedding_base_url: str = ""
    chat_base_url: str = ""
    score_base_url: str = ""
    api_key: str = field(default="", repr=False)
    """Sent with every request, and never shown."""
    api_key_header: str = "authorization"
    """Where the key goes: ``authorization`` as a bearer token, any other header as it is."""
    embedding_model: str = ""
    """What the server calls the embedding model; empty = ``EMBEDDING_MODEL_ID``."""
    chat_model: str = ""
    """The model that writes answers; empty = none does."""
    score_model: str = ""
    """The model that orders the hits of a question anew; empty = none does."""
    timeout_s: Seconds = 60
    """The longest silence of a server in the middle of indexing."""
    query_timeout_ms: Milliseconds = 1000
    """A query is searched by its words alone when its vector takes longer."""
