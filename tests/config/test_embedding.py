"""The embedding contract knows its models and has one identity."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.config.embedding import EmbeddingConfig
from codeintel_rev.config.known_models import KNOWN_MODELS
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import SettingsError

PACKAGE = Path(codeintel_rev.__file__).parent
WRITTEN_LENGTH = re.compile(
    r"^\s*(?:self\.)?_?(?:vec_)?dim(?:ensions?)?\b.*= *\d+", re.MULTILINE | re.IGNORECASE
)
SERVED = EmbeddingConfig(model_id="BAAI/bge-m3", vec_dim=0, provider="vllm")


def test_the_default_pair_contradicts_its_card_and_is_refused_when_it_is_configured() -> None:
    default = EmbeddingConfig()
    env = {"EMBEDDING_MODEL_ID": default.model_id, "EMBEDDING_VEC_DIM": str(default.vec_dim)}
    with pytest.raises(SettingsError, match=r"2560, but nomic-ai/\S+ makes vectors of 768") as told:
        load_settings(env)
    assert "EMBEDDING_VEC_DIM=768" in told.value.hint


@pytest.mark.parametrize("model_id", KNOWN_MODELS)
def test_a_known_model_has_its_own_length_and_prefixes(model_id: str) -> None:
    known = KNOWN_MODELS[model_id]
    config = replace(SERVED, model_id=model_id).completed()
    assert config.vec_dim == known.dim
    assert (config.query_prefix, config.document_prefix) == (
        known.query_prefix,
        known.document_prefix,
    )
    assert known.shorter[1] in (0, known.dim)
    with pytest.raises(SettingsError, match=f"makes vectors of {known.dim}"):
        replace(SERVED, model_id=model_id, vec_dim=known.dim + 1).completed()


def test_a_model_may_give_shorter_vectors_where_its_card_says_so() -> None:
    qwen = replace(SERVED, model_id="Qwen/Qwen3-Embedding-4B", vec_dim=1024)
    assert qwen.completed().vec_dim == 1024
    with pytest.raises(SettingsError, match="16, but BAAI/bge-m3 makes vectors of 1024"):
        replace(SERVED, vec_dim=16).completed()


def test_a_prefix_that_is_set_is_left_alone() -> None:
    nomic = replace(SERVED, model_id="nomic-ai/nomic-embed-text-v1.5", query_prefix="q: ")
    assert nomic.completed().query_prefix == "q: "
    assert nomic.completed().document_prefix == "search_document: "


@pytest.mark.parametrize(
    "change",
    [
        {"model_id": "other"},
        {"vec_dim": 512},
        {"normalize": False},
        {"provider": "openai"},
        {"query_prefix": "q: "},
        {"document_prefix": "d: "},
        {"max_tokens": 128},
    ],
)
def test_whatever_changes_a_vector_changes_the_fingerprint(change: dict[str, object]) -> None:
    assert replace(SERVED, **change).fingerprint != SERVED.fingerprint  # type: ignore[arg-type]
    assert replace(SERVED, cache_mb=1).fingerprint == SERVED.fingerprint


def test_no_length_of_a_vector_is_written_anywhere_else() -> None:
    allowed = {"config/embedding.py", "config/known_models.py"}
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0].strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in allowed
        for match in WRITTEN_LENGTH.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
