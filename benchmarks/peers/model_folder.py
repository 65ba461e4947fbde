"""Writes our embedded model as a model2vec folder, so that the peer searches with the same vectors.

    python benchmarks/peers/model_folder.py FOLDER

The peer takes the mean of its tokens' vectors where we take the sum by the square root of their
counts, and splits words by the rules below instead of our tokenizer's; all else is the same.
"""

from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from codeintel_rev.io.static_embedder import MODEL_PATH
from codeintel_rev.io.static_model import read_model

UNKNOWN = "[UNK]"

SPLITS: tuple[dict[str, str], ...] = (
    {"Regex": "(?<=[a-z0-9])(?=[A-Z])"},
    {"Regex": "(?<=[A-Z])(?=[A-Z][a-z])"},
    {"String": "_"},
)
"""Where a word is split: camelCase, HTTPServer, snake_case."""


def tokenizer(terms: list[str]) -> dict[str, Any]:
    """Return the tokenizer's document; the term at index ``i`` has the token id ``i``."""
    splits = [{"type": "Replace", "pattern": pattern, "content": " "} for pattern in SPLITS]
    vocabulary = {term: number for number, term in enumerate(terms)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": [*splits, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": UNKNOWN},
    }


def write_model(folder: Path) -> None:
    """Write ``config.json``, ``tokenizer.json`` and ``model.safetensors``."""
    model = read_model(MODEL_PATH)
    known = model.rows.astype(np.float32) * model.scales[:, None]
    vectors = np.vstack([np.zeros((1, known.shape[1]), np.float32), known])
    data = vectors.astype("<f4").tobytes()
    entry = {"dtype": "F32", "shape": vectors.shape, "data_offsets": [0, len(data)]}
    header = json.dumps({"embeddings": entry}).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer([UNKNOWN, *model.terms])))
    (folder / "config.json").write_text('{"normalize": true, "embedding_dtype": "float32"}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    write_model(parser.parse_args().folder)


if __name__ == "__main__":
    main()
