"""A small model of the SPLADE family, made of a list of words and of what else they imply."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def make_splade(
    folder: Path, words: Sequence[str], implied: Mapping[str, str], bias: float = -1.0
) -> Path:
    """Write a model without layers, in which a word stands for itself and for what it implies."""
    pieces = [*MARKS, *words]
    size = len(pieces)
    table = np.eye(size, dtype=np.float32)
    for word, other in implied.items():
        table[pieces.index(word), pieces.index(other)] = 0.7
    table[: len(MARKS)] = 0.0
    ones, zeros = np.ones(size, np.float32), np.zeros(size, np.float32)
    arrays = {
        "bert.embeddings.word_embeddings.weight": table,
        "bert.embeddings.position_embeddings.weight": np.zeros((16, size), np.float32),
        "bert.embeddings.token_type_embeddings.weight": np.zeros((2, size), np.float32),
        "bert.embeddings.LayerNorm.weight": ones,
        "bert.embeddings.LayerNorm.bias": zeros,
        "cls.predictions.transform.dense.weight": np.eye(size, dtype=np.float32),
        "cls.predictions.transform.dense.bias": zeros,
        "cls.predictions.transform.LayerNorm.weight": ones,
        "cls.predictions.transform.LayerNorm.bias": zeros,
        "cls.predictions.bias": np.full(size, bias, np.float32),
    }
    folder.mkdir(parents=True)
    write_safetensors(folder / "model.safetensors", arrays)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    config = {"model_type": "bert", "hidden_act": "gelu", "num_attention_heads": 1}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def write_safetensors(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write float32 arrays as the format has them."""
    table, start = {}, 0
    for name, array in arrays.items():
        end = start + array.nbytes
        offsets = [start, end]
        table[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": offsets}
        start = end
    head = json.dumps(table).encode()
    body = b"".join(array.tobytes() for array in arrays.values())
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)
