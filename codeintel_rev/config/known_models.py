"""What the publishers of embedding models say of them; each entry is from the model's own card.

The cards are at ``https://huggingface.co/<model id>``, those of OpenAI's models at
``https://platform.openai.com/docs/guides/embeddings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class KnownModel(NamedTuple):
    """Published facts of one embedding model."""

    dim: int
    max_tokens: int
    """A longer text is cut."""
    query_prefix: str = ""
    document_prefix: str = ""
    shorter: tuple[int, int] = (0, 0)
    """Shortest and longest length to which its vectors may be cut (Matryoshka); 0 = none."""

    def accepts(self, dim: int) -> bool:
        """Return whether the model makes vectors of this length."""
        shortest, longest = self.shorter
        return dim == self.dim or (0 < shortest <= dim <= longest)

    @property
    def lengths(self) -> str:
        """Its lengths in words."""
        shortest, longest = self.shorter
        return f"{self.dim}, or {shortest} to {longest}" if shortest else str(self.dim)


_BGE = "Represent this sentence for searching relevant passages: "
_QWEN3 = "Instruct: Given a question about a code base, retrieve the code that answers it\nQuery: "
"""The card has the task in one's own words."""

KNOWN_MODELS: Final[Mapping[str, KnownModel]] = {
    "nomic-ai/nomic-embed-text-v1.5": KnownModel(
        768, 8192, "search_query: ", "search_document: ", (64, 768)
    ),
    "nomic-ai/nomic-embed-code": KnownModel(
        3584, 32_768, "Represent this query for searching relevant code: "
    ),
    "Qwen/Qwen3-Embedding-0.6B": KnownModel(1024, 32_768, _QWEN3, shorter=(32, 1024)),
    "Qwen/Qwen3-Embedding-4B": KnownModel(2560, 32_768, _QWEN3, shorter=(32, 2560)),
    "Qwen/Qwen3-Embedding-8B": KnownModel(4096, 32_768, _QWEN3, shorter=(32, 4096)),
    "BAAI/bge-m3": KnownModel(1024, 8192),
    "BAAI/bge-small-en-v1.5": KnownModel(384, 512, _BGE),
    "BAAI/bge-base-en-v1.5": KnownModel(768, 512, _BGE),
    "BAAI/bge-large-en-v1.5": KnownModel(1024, 512, _BGE),
    "intfloat/e5-small-v2": KnownModel(384, 512, "query: ", "passage: "),
    "intfloat/e5-base-v2": KnownModel(768, 512, "query: ", "passage: "),
    "intfloat/e5-large-v2": KnownModel(1024, 512, "query: ", "passage: "),
    "intfloat/multilingual-e5-large": KnownModel(1024, 512, "query: ", "passage: "),
    "jinaai/jina-embeddings-v2-base-code": KnownModel(768, 8192),
    "sentence-transformers/all-MiniLM-L6-v2": KnownModel(384, 256),
    "text-embedding-3-small": KnownModel(1536, 8192, shorter=(1, 1536)),
    "text-embedding-3-large": KnownModel(3072, 8192, shorter=(1, 3072)),
    "text-embedding-ada-002": KnownModel(1536, 8192),
}
