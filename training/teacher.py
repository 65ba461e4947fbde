"""MiniLM's vectors of documentation and of the code below it, for a sample of definitions.

    python -m training.teacher FUNCTIONS.jsonl PAIRS.npz OUT.npz --sample 36000

``rows`` are the positions of the sampled definitions, ascending; ``doc`` and ``code`` their vectors.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.minilm import embed_texts
from training.pairs import MIN_BODY_TERMS, MIN_DOC_TERMS, first_paragraph

DOC_CHARACTERS, DOC_TOKENS = 300, 48
CODE_CHARACTERS, CODE_TOKENS = 500, 80
SEED = 5


def sample(pairs: Path, count: int) -> NDArray[np.int64]:
    """Return ``count`` rows of documented definitions, of a package as many as the root of what it has."""
    data = np.load(pairs)
    groups = data["groups"]
    usable = np.flatnonzero(
        (np.diff(data["doc_ends"]) >= MIN_DOC_TERMS)
        & (np.diff(data["body_ends"]) >= MIN_BODY_TERMS)
    )
    sizes = np.bincount(groups[usable])[groups[usable]]
    # The largest of u ** (1 / weight) are a sample without replacement by weight.
    keys = np.random.default_rng(SEED).random(len(usable)) ** np.sqrt(sizes)
    return np.sort(usable[np.argsort(-keys, kind="stable")[:count]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("functions", "pairs", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--sample", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(2)
    rows = sample(options.pairs, options.sample)
    chosen = set(rows.tolist())
    docs, codes = [], []
    with options.functions.open() as file:
        for at, line in enumerate(file):
            if at in chosen:
                row = json.loads(line)
                docs.append(" ".join(first_paragraph(row["doc"]).split())[:DOC_CHARACTERS])
                codes.append(" ".join(row["body"].split())[:CODE_CHARACTERS])
    vectors = {
        "doc": embed_texts(docs, DOC_TOKENS).astype(np.float16),
        "code": embed_texts(codes, CODE_TOKENS).astype(np.float16),
    }
    np.savez(options.out, rows=rows, **vectors)
    print(f"{len(rows)} definitions embedded")


if __name__ == "__main__":
    main()
