"""Versions of everything an index was made with."""

from __future__ import annotations

from collections.abc import Mapping

from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import IndexForeign
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.text.code_tokenizer import TOKENIZER_VERSION


def load_embedder(settings: Settings) -> StaticEmbedder:
    """Load the embedding model; raises ``SettingsError`` when the settings name another one."""
    embedder = StaticEmbedder()
    settings.embedding.require(embedder.model_id, embedder.dim)
    return embedder


def components(embedder: StaticEmbedder) -> dict[str, str]:
    """Return component names and versions, as the journal keeps them."""
    return {
        "chunker": str(CHUNKER_VERSION),
        "tokenizer": str(TOKENIZER_VERSION),
        "model_fingerprint": embedder.fingerprint,
    }


def check_components(name: str, found: Mapping[str, object], wanted: Mapping[str, str]) -> None:
    """Raise ``IndexForeign`` unless the index of repository ``name`` was made with ``wanted``."""
    for key, value in wanted.items():
        if found.get(key) != value:
            raise IndexForeign(
                f"the index of {name} was made with {key} {found.get(key)}, "
                f"this program uses {value}",
                hint="run `codeintel index --full` to rebuild it",
                value=str(found.get(key)),
            )
