"""What an index was made with, and what of it has to be made anew for this program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import IndexForeign
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.retrieval.ranking import RANKING_VERSION
from codeintel_rev.text.background_idf import BACKGROUND_IDF_VERSION
from codeintel_rev.text.code_tokenizer import TOKENIZER_VERSION

CUT: Final = "chunker"
"""When it changes, files are cut anew one by one."""
TERMS: Final = frozenset({"tokenizer", "model_fingerprint"})
"""When one of them changes, words and vectors are made anew from the stored text."""
STORED: Final = TERMS | {CUT}
"""Those on which anything stored depends."""

# background_idf and ranking act on a query, so that nothing stored depends on them: a new version
# is only recorded.


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
        "background_idf": str(BACKGROUND_IDF_VERSION),
        "ranking": str(RANKING_VERSION),
        "model_fingerprint": embedder.fingerprint,
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
            f"the index of {name} was made with {key} {found.get(key)}, "
            f"this program uses {wanted[key]}",
            hint="run `codeintel index` to bring it up to date",
            value=str(found.get(key)),
        )
