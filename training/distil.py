"""The starting point of the model: each term embedded by MiniLM, reduced by PCA, weighted.

python -m training.distil VOCABULARY.json OUT.npz [--terms 45000]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.minilm import embed_texts

DIM = 256
SIF = 1e-4
"""``a`` of the weight ``a / (a + p)``: terms far more frequent than this fade."""


def choose_terms(statistics: dict[str, list[int]], count: int) -> list[str]:
    """Return the ``count`` terms that most packages use, then the most frequent, best first."""
    eligible = (term for term in statistics if not term.isdigit() or len(term) <= 4)
    ranked = sorted(eligible, key=lambda term: (-statistics[term][1], -statistics[term][0], term))
    return ranked[:count]


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
