"""What an index was made with, and what of it has to be made anew for this program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import IndexForeign
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.retrieval.ranking import RANKING_VERSION
from codeintel_rev.text.background_idf import BACKGROUND_IDF_VERSION
from codeintel_rev.text.code_tokenizer import TOKENIZER_VERSION

if TYPE_CHECKING:
    from codeintel_rev.io.minilm_embedder import MiniLMEmbedder
    from codeintel_rev.io.remote_embedder import RemoteEmbedder

CUT: Final = "chunker"
"""When it changes, files are cut anew one by one."""
MODEL: Final = "model_fingerprint"
TERMS: Final = frozenset({"tokenizer", MODEL})
"""When one of them changes, words and vectors are made anew from the stored text."""
STORED: Final = TERMS | {CUT}
"""Those on which anything stored depends."""

# background_idf and ranking act on a query, so that nothing stored depends on them: a new version
# is only recorded.


IndexEmbedder: TypeAlias = "StaticEmbedder | MiniLMEmbedder | RemoteEmbedder"
"""Who makes the vectors of an index: the embedded model, MiniLM, or a server's."""


def load_embedder(settings: Settings, data_dir: Path | None = None) -> IndexEmbedder:
    """Load the embedding model that is configured; whoever loaded it closes it.

    ``data_dir`` is where vectors of a server are kept. Raises ``SettingsError`` when the settings
    name another model than the embedded one, or none of a server, and ``Unavailable`` when a server
    has to be asked for the length of its vectors and does not answer, or MiniLM is not installed.
    """
    if settings.embedding.is_remote:
        from codeintel_rev.app.models import remote_embedder

        return remote_embedder(settings, data_dir)
    embedder = _local_embedder(settings.embedding.provider)
    settings.embedding.require(embedder.model_id, embedder.dim)
    return embedder


def _local_embedder(provider: str) -> StaticEmbedder | MiniLMEmbedder:
    if provider == "static":
        return StaticEmbedder()
    from codeintel_rev.io.minilm_embedder import MiniLMEmbedder

    return MiniLMEmbedder()


def components(embedder: IndexEmbedder) -> dict[str, str]:
    """Return component names and versions, as the journal keeps them."""
    return {
        "chunker": str(CHUNKER_VERSION),
        "tokenizer": str(TOKENIZER_VERSION),
        "background_idf": str(BACKGROUND_IDF_VERSION),
        "ranking": str(RANKING_VERSION),
        MODEL: embedder.fingerprint,
    }


def outdated(name: str, found: Mapping[str, object], wanted: Mapping[str, str]) -> frozenset[str]:
    """Return the components of repository ``name``'s index that are not those ``wanted``.

    Raises ``IndexForeign`` when a numbered one is newer: to make it older again would have two
    programs undo each other's work for ever.
    """
    differing = frozenset(key for key, value in wanted.items() if found.get(key) != value)
    for key in differing:
        version = str(found.get(key, ""))
        if version.isdigit() and wanted[key].isdigit() and int(version) > int(wanted[key]):
            raise IndexForeign(
                f"the index of {name} was made with {key} {version}, "
                f"this program knows it up to {wanted[key]}",
                hint="use the newer program, or run `codeintel index --full` with this one",
                value=version,
            )
    return differing


def check_components(name: str, found: Mapping[str, object], wanted: Mapping[str, str]) -> None:
    """Raise ``IndexForeign`` unless the words and vectors of an index are this program's."""
    for key in sorted(outdated(name, found, wanted) & TERMS):
        raise IndexForeign(
            f"the index of {name} was made with {key} {str(found.get(key))[:12]}, "
            f"this program uses {wanted[key][:12]}",
            hint="run `codeintel index` on its folder to bring it up to date",
            value=str(found.get(key)),
        )
