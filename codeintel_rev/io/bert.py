"""A small BERT encoder in numpy: enough to embed texts where no deep learning framework is wanted.

The texts of a batch lie one after the other, so that nothing is padded: the products with weights
run over all tokens at once, attention over each text by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

_EPSILON = np.float32(1e-12)


class BertEncoder:
    """Turns tokens into the mean of their contextual vectors; safe to share between threads."""

    def __init__(self, weights: Mapping[str, NDArray[Any]], heads: int) -> None:
        """Take the weights by the names that they have in BERT's own files."""
        self._weights = weights
        self._heads = heads
        self.dim: int = weights["embeddings.LayerNorm.weight"].shape[0]
        self.max_tokens: int = weights["embeddings.position_embeddings.weight"].shape[0]
        layers = {int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")}
        self._layers = [f"encoder.layer.{number}." for number in sorted(layers)]

    def encode(self, texts: Sequence[Sequence[int]]) -> _Floats:
        """Return a vector for each text of at least one token, shape ``(n, dim)``."""
        hidden, spans = self.hidden(texts)
        return np.stack([hidden[span].mean(axis=0) for span in spans])

    def hidden(self, texts: Sequence[Sequence[int]]) -> tuple[_Floats, list[slice]]:
        """Return a vector for each token, shape ``(tokens, dim)``, and where each text lies."""
        lengths = np.array([len(text) for text in texts])
        ends = np.cumsum(lengths)
        spans = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        hidden = self._embedded(np.concatenate([np.array(text) for text in texts]), spans)
        for layer in self._layers:
            attended = self._attention(layer + "attention.self.", hidden, spans)
            attended = self.linear(layer + "attention.output.dense", attended)
            hidden = self.normalised(layer + "attention.output.LayerNorm", hidden + attended)
            inner = gelu(self.linear(layer + "intermediate.dense", hidden))
            outer = self.linear(layer + "output.dense", inner)
            hidden = self.normalised(layer + "output.LayerNorm", hidden + outer)
        return hidden, spans

    def _embedded(self, tokens: NDArray[np.int64], spans: Sequence[slice]) -> _Floats:
        words = self._weights["embeddings.word_embeddings.weight"][tokens]
        places = self._weights["embeddings.position_embeddings.weight"]
        for span in spans:
            words[span] += places[: span.stop - span.start]
        words += self._weights["embeddings.token_type_embeddings.weight"][0]
        return self.normalised("embeddings.LayerNorm", words)

    def _attention(self, name: str, hidden: _Floats, spans: Sequence[slice]) -> _Floats:
        query, key, value = (
            self.linear(name + part, hidden).reshape(len(hidden), self._heads, -1)
            for part in ("query", "key", "value")
        )
        query *= np.float32(query.shape[2] ** -0.5)
        out = np.empty_like(value)
        for span in spans:
            shares = query[span].transpose(1, 0, 2) @ key[span].transpose(1, 2, 0)
            shares -= shares.max(axis=2, keepdims=True)
            np.exp(shares, out=shares)
            shares /= shares.sum(axis=2, keepdims=True)
            out[span] = (shares @ value[span].transpose(1, 0, 2)).transpose(1, 0, 2)
        return out.reshape(len(hidden), -1)

    def linear(self, name: str, inputs: _Floats) -> _Floats:
        """Return the product with the weights ``name`` and their bias added."""
        out: _Floats = inputs @ self._weights[name + ".weight"].T
        out += self._weights[name + ".bias"]
        return out

    def normalised(self, name: str, inputs: _Floats) -> _Floats:
        """Return each row with mean 0 and spread 1, scaled and moved as ``name`` says."""
        inputs = inputs - inputs.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", inputs, inputs)[:, None] / np.float32(self.dim)
        inputs *= self._weights[name + ".weight"] / np.sqrt(spread + _EPSILON)
        inputs += self._weights[name + ".bias"]
        return inputs


def gelu(x: _Floats) -> _Floats:
    """Return ``x`` times the normal distribution's share below ``x``, to 1e-6.

    The error function is formula 7.1.26 of Abramowitz and Stegun, "Handbook of Mathematical
    Functions", 1964.
    """
    at = np.abs(x)
    at *= np.float32(0.5**0.5)
    t = 1.0 / (1.0 + np.float32(0.3275911) * at)
    tail = np.full_like(t, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail *= t
        tail += np.float32(factor)
    tail *= t
    np.square(at, out=at)
    np.negative(at, out=at)
    tail *= np.exp(at, out=at)
    tail *= np.float32(0.5)
    return x * np.where(x >= 0.0, 1.0 - tail, tail)
