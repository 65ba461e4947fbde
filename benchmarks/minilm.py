"""How long MiniLM takes for a text, with the threads that numpy has by itself.

    python benchmarks/minilm.py SNIPPETS.jsonl

Embeds 300 snippets, in batches as an index does, and 100 questions one by one. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from machine import machine

from codeintel_rev.evaluation.sources import read_corpus
from codeintel_rev.io.minilm_embedder import MiniLMEmbedder

SNIPPETS = 300
QUERIES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    documents = list(read_corpus(parser.parse_args().corpus))
    texts = [document.code for document in documents[:: max(1, len(documents) // SNIPPETS)]]
    started = time.perf_counter()
    embedder = MiniLMEmbedder()
    loaded_s = time.perf_counter() - started
    started = time.perf_counter()
    embedder.embed_texts(texts)
    batch_ms = (time.perf_counter() - started) * 1000 / len(texts)
    spent = []
    for text in texts[:QUERIES]:
        started = time.perf_counter()
        embedder.embed_query(text.partition("\n")[0])
        spent.append((time.perf_counter() - started) * 1000)
    found = {
        "load_s": round(loaded_s, 3),
        "snippets": len(texts),
        "snippet_chars": round(float(np.mean([len(text) for text in texts]))),
        "snippet_ms": round(batch_ms, 2),
        "line_ms": {"p50": round(float(np.median(spent)), 2)},
    }
    print(json.dumps({"machine": machine(), **found}, indent=1))


if __name__ == "__main__":
    main()
