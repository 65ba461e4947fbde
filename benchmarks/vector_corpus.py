"""Embeds real code once, so that vector indexes can be measured on it again and again.

    python benchmarks/vector_corpus.py FOLDER... --to DIR [--queries SET.jsonl ...]

Each FOLDER is a tree of source files. Their chunks are embedded with the embedded model, vectors
that occur twice (copies of a file, versions of a tree) are kept once, and the rest is shuffled.
Writes ``vectors.f16``; ``queries.npy``, the embedded queries of the sets; and ``titles.npy``,
embedded first sentences of docstrings, which a build can make for itself.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.indexing.file_source import DiskSource
from codeintel_rev.indexing.prepare import prepare_files
from codeintel_rev.indexing.walker import walk
from codeintel_rev.io.static_embedder import StaticEmbedder

BATCH_FILES = 64
TITLE_SHARE = 0.02
"""So many of the documented symbols are kept as titles."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--to", required=True, type=Path)
    parser.add_argument("--queries", nargs="*", type=Path, default=[])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    parts, titles = embed_all(options.folders, options.workers)
    vectors = np.unique(np.concatenate(parts)).view(np.float16).reshape(-1, dim())
    parts.clear()
    np.random.default_rng(0).shuffle(vectors)
    vectors.tofile(options.to / "vectors.f16")
    embedder = StaticEmbedder()
    for name, texts in (("queries", list(read_queries(options.queries))), ("titles", titles)):
        random.Random(0).shuffle(texts)
        found = np.array([embedder.embed_query(text) for text in texts], dtype=np.float32)
        np.save(options.to / f"{name}.npy", found.reshape(-1, embedder.dim))
    print(json.dumps({"folders": len(options.folders), "vectors": len(vectors)}))


def dim() -> int:
    return StaticEmbedder().dim


def embed_all(folders: Iterable[Path], workers: int) -> tuple[list[NDArray[np.void]], list[str]]:
    """Return the vectors of every tree, each as one opaque value, and some titles."""
    parts, titles = [], []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for found, said in pool.map(embed_tree, folders):
            parts.append(found)
            titles += said
    return parts, titles


def embed_tree(folder: Path) -> tuple[NDArray[np.void], list[str]]:
    embedder, root = StaticEmbedder(), folder.resolve()
    entries = walk(root).files
    blocks = [np.zeros((0, embedder.dim), dtype=np.float16)]
    titles: list[str] = []
    for start in range(0, len(entries), BATCH_FILES):
        batch = entries[start : start + BATCH_FILES]
        for file in prepare_files(folder.name, DiskSource(root), batch, embedder):
            if file.vectors is not None and len(file.vectors):
                blocks.append(file.vectors[file.vectors.any(axis=1)])
            titles += [symbol.doc for symbol in file.symbols if len(symbol.doc) > 15]
    chosen = random.Random(0).sample(titles, int(len(titles) * TITLE_SHARE))
    whole = np.concatenate(blocks)
    return np.unique(whole.view(f"V{whole.shape[1] * 2}")), chosen


def read_queries(sets: Iterable[Path]) -> Iterator[str]:
    for path in sets:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row.get("title") or row["query"]


if __name__ == "__main__":
    main()
