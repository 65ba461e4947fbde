"""NDCG@10 of the vectors alone on a set of queries over snippets.

python -m training.evaluate MODEL.bin QUERIES.jsonl SNIPPETS.jsonl
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from codeintel_rev.io.static_embedder import StaticEmbedder


def ndcg_at_10(embedder: StaticEmbedder, queries: Path, snippets: Path) -> float:
    """Return the mean NDCG@10 of ranking every snippet by cosine for each query."""
    corpus = [json.loads(line) for line in snippets.open()]
    documents = embedder.embed_documents([("", "", row["code"]) for row in corpus])
    scores = []
    for line in queries.open():
        row = json.loads(line)
        gains = {hit["doc_id"]: hit["grade"] for hit in row["relevant"]}
        order = np.argsort(-(documents @ embedder.embed_query(row["query"])), kind="stable")[:10]
        found = [gains.get(corpus[at]["id"], 0) for at in order]
        ideal = sorted(gains.values(), reverse=True)[:10]
        scores.append(_dcg(found) / _dcg(ideal))
    return float(np.mean(scores))


def _dcg(gains: list[int]) -> float:
    return float(sum(gain / np.log2(rank + 2) for rank, gain in enumerate(gains)))


if __name__ == "__main__":
    model, queries, snippets = map(Path, sys.argv[1:])
    print(f"{ndcg_at_10(StaticEmbedder(model), queries, snippets):.4f}")
