"""SPLADE: a masked language model tells which terms a text implies, and how much each matters.

The form is that of Formal and others, "SPLADE v2: Sparse Lexical and Expansion Model for Information
Retrieval", 2021: of each term the greatest logarithm of what the model gives it at any place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from codeintel_rev.errors import IndexForeign
from codeintel_rev.io.bert import BertEncoder, gelu
from codeintel_rev.io.safetensors import read_safetensors
from codeintel_rev.io.wordpiece import WordPieceTokenizer
from codeintel_rev.text.json_faults import NOT_JSON
from codeintel_rev.types import SparseVector

MAX_TOKENS = 256
"""The rest of a longer text is left out."""

_ENCODER, _HEAD = "bert.", "cls.predictions."


class _Config(msgspec.Struct):
    """The part of the model's own description that is of use here."""

    num_attention_heads: int
    model_type: str = "bert"
    hidden_act: str = "gelu"


class SpladeEncoder:
    """Encodes texts with a model of the BERT family (``SparseEncoder``); safe to share."""

    def __init__(self, folder: Path) -> None:
        """Load ``config.json``, ``vocab.txt`` and ``model.safetensors`` from a folder.

        Raises ``IndexForeign`` when that is no such model, ``IndexDamaged`` when it cannot be read.
        """
        weights, digest = read_safetensors(folder / "model.safetensors")
        try:
            config = msgspec.json.decode((folder / "config.json").read_bytes(), type=_Config)
            vocabulary = (folder / "vocab.txt").read_text("utf-8").rstrip("\n").split("\n")
        except (OSError, *NOT_JSON) as error:
            raise _foreign(folder, str(error)) from error
        if (config.model_type, config.hidden_act) != ("bert", "gelu"):
            raise _foreign(folder, f"its type is {config.model_type} with {config.hidden_act}")
        if f"{_HEAD}bias" not in weights:
            raise _foreign(folder, f"{_HEAD}bias is missing: it has no head for masked terms")
        own = {name.removeprefix(_ENCODER): array for name, array in weights.items()}
        self._encoder = BertEncoder(own, config.num_attention_heads)
        self._tokenizer = WordPieceTokenizer(vocabulary)
        self._embeddings = own["embeddings.word_embeddings.weight"]
        self._bias = own[f"{_HEAD}bias"]
        self._limit = min(MAX_TOKENS, self._encoder.max_tokens)
        self.fingerprint = f"splade-{digest[:16]}-{self._limit}"

    def encode(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vector of each text."""
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> SparseVector:
        hidden, _ = self._encoder.hidden([self._tokenizer.encode(text, self._limit)])
        inner = gelu(self._encoder.linear(f"{_HEAD}transform.dense", hidden))
        inner = self._encoder.normalised(f"{_HEAD}transform.LayerNorm", inner)
        logits = (inner @ self._embeddings.T + self._bias).max(axis=0)
        weights = np.log1p(np.maximum(logits, 0.0))
        terms = np.flatnonzero(weights).astype(np.int32)
        return SparseVector(terms, weights[terms].astype(np.float32))


def _foreign(folder: Path, why: str) -> IndexForeign:
    return IndexForeign(
        f"{folder} holds no SPLADE model of the BERT family: {why}",
        hint="SPLADE_MODEL names a folder with config.json, vocab.txt and model.safetensors",
        value=str(folder),
    )
