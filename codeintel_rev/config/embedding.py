"""The embedding contract: which model makes the vectors of an index, and how."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Literal

import msgspec

from codeintel_rev.errors import SettingsError

INPUT_VERSION = 1
"""Bump when the text that is made of a chunk for a model server changes."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """The contract that every vector of an index keeps; see docs/embedding-contract.md."""

    model_id: str = "nomic-ai/nomic-embed-text-v1.5"
    """Empty = the provider's own model."""
    vec_dim: _Count = 2560
    """Length of a vector; 0 = the model's own."""
    normalize: bool = True
    """Whether vectors have length 1."""
    dtype: Literal["float32"] = "float32"
    """The number type in which a model returns vectors."""
    provider: Literal["static", "minilm", "vllm", "openai"] = "static"
    """Who computes vectors: the model inside the package, MiniLM in this process, or a server."""
    query_prefix: str | None = None
    """Put before a query; unset = as the model's card says."""
    document_prefix: str | None = None
    """Put before a chunk; unset = as the model's card says."""
    max_tokens: _Count = 0
    """A longer text is cut; 0 = at the limit of the server."""
    cache_mb: _Count = 1024
    """Vectors of a server that are kept in the data directory, so that none is asked for twice."""

    @property
    def is_remote(self) -> bool:
        """Whether a server computes the vectors."""
        return self.provider in {"vllm", "openai"}

    @property
    def fingerprint(self) -> str:
        """The identity of the vectors: equal contracts make equal ones."""
        parts = asdict(self)
        del parts["cache_mb"]
        text = msgspec.json.encode([INPUT_VERSION, sorted(parts.items())])
        return hashlib.sha256(text).hexdigest()

    def require(self, model_id: str, vec_dim: int, *, normalized: bool = True) -> None:
        """Check the model that was loaded against what is configured.

        Raises ``SettingsError`` that names both values.
        """
        if self.normalize != normalized:
            raise SettingsError(
                f"EMBEDDING_NORMALIZE is {self.normalize}, but {model_id} has it {normalized}",
                hint="unset EMBEDDING_NORMALIZE",
                value=str(self.normalize),
            )
        if self.model_id not in ("", model_id):
            raise SettingsError(
                f"EMBEDDING_MODEL_ID is {self.model_id}, but the provider {self.provider} "
                f"serves {model_id}",
                hint="unset EMBEDDING_MODEL_ID, or set EMBEDDING_PROVIDER to who serves it",
                value=self.model_id,
            )
        if self.vec_dim not in (0, vec_dim):
            raise SettingsError(
                f"EMBEDDING_VEC_DIM is {self.vec_dim}, but {model_id} makes vectors of {vec_dim}",
                hint="unset EMBEDDING_VEC_DIM",
                value=str(self.vec_dim),
            )

    def completed(self) -> EmbeddingConfig:
        """Return the contract with what is published of its model filled in.

        ``vec_dim`` stays 0 for a model that is not known. Raises ``SettingsError`` when the model
        is known to make vectors of another length.
        """
        from codeintel_rev.config.known_models import KNOWN_MODELS, KnownModel

        known = KNOWN_MODELS.get(self.model_id)
        if known is not None and self.vec_dim and not known.accepts(self.vec_dim):
            raise SettingsError(
                f"EMBEDDING_VEC_DIM is {self.vec_dim}, but {self.model_id} makes vectors of "
                f"{known.lengths}",
                hint=f"set EMBEDDING_VEC_DIM={known.dim}, or unset it",
                value=str(self.vec_dim),
            )
        facts = known or KnownModel(self.vec_dim, 0)
        # a server of vLLM knows its own limit, which may be set below that of the card
        limit = facts.max_tokens if self.provider == "openai" else 0
        return replace(
            self,
            vec_dim=self.vec_dim or facts.dim,
            max_tokens=self.max_tokens or limit,
            query_prefix=facts.query_prefix if self.query_prefix is None else self.query_prefix,
            document_prefix=(
                facts.document_prefix if self.document_prefix is None else self.document_prefix
            ),
        )


EMBEDDED_MODEL = EmbeddingConfig(model_id="", vec_dim=0)
"""The model inside the package, with its own dimension."""
