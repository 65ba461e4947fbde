from __future__ import annotations

import math

import numpy as np
import pytest

from codeintel_rev.io.bert import BertEncoder, gelu

DIM, INNER, WORDS = 8, 16, 20


@pytest.fixture
def encoder() -> BertEncoder:
    rng = np.random.default_rng(5)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": draw(WORDS, DIM),
        "embeddings.position_embeddings.weight": draw(12, DIM),
        "embeddings.token_type_embeddings.weight": draw(2, DIM),
        "embeddings.LayerNorm.weight": draw(DIM),
        "embeddings.LayerNorm.bias": draw(DIM),
    }
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        for name, out, inputs in (
            ("attention.self.query", DIM, DIM),
            ("attention.self.key", DIM, DIM),
            ("attention.self.value", DIM, DIM),
            ("attention.output.dense", DIM, DIM),
            ("intermediate.dense", INNER, DIM),
            ("output.dense", DIM, INNER),
        ):
            weights[f"{layer}{name}.weight"] = draw(out, inputs)
            weights[f"{layer}{name}.bias"] = draw(out)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"{layer}{name}.weight"] = draw(DIM)
            weights[f"{layer}{name}.bias"] = draw(DIM)
    return BertEncoder(weights, heads=2)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: BertEncoder) -> None:
    texts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10]]
    together = encoder.encode(texts)
    assert together.shape == (3, encoder.dim)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], vector, rtol=1e-4, atol=1e-5)


def test_the_order_of_words_counts(encoder: BertEncoder) -> None:
    one, other = encoder.encode([[1, 2, 3], [3, 2, 1]])
    assert not np.allclose(one, other, atol=1e-3)


def test_gelu_is_that_of_the_error_function() -> None:
    x = np.linspace(-6, 6, 401, dtype=np.float32)
    exact = [value * 0.5 * (1.0 + math.erf(value / math.sqrt(2.0))) for value in x.tolist()]
    np.testing.assert_allclose(gelu(x), exact, atol=1e-6)
