"""Adds vectors one by one and in one batch to a vector index that stands alone.

    python benchmarks/single_adds.py [--count 1000] [--dim 2560]

Every call is durable when it returns. Prints one JSON document: the seconds of each tenth of the
single ones (equal ones mean linear), of the batch, of compacting, and of opening what was added.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from machine import machine

from codeintel_rev.config.settings import FaissConfig
from codeintel_rev.io.faiss_dual_index import FAISSDualIndexManager


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--dim", type=int, default=2_560)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as scratch:
        figures = asyncio.run(measure(Path(scratch), options.count, options.dim))
    told = {"machine": about, "count": options.count, "dim": options.dim, "seconds": figures}
    print(json.dumps(told, indent=1))


async def measure(folder: Path, count: int, dim: int) -> dict[str, object]:
    vectors = np.random.default_rng(0).random((count, dim), dtype=np.float32)
    index = await opened(folder / "single", dim)
    tenths = []
    for start in range(0, count, count // 10):
        began = time.perf_counter()
        for number in range(start, start + count // 10):
            await index.add_incremental(vectors[number : number + 1], [number])
        tenths.append(round(time.perf_counter() - began, 3))
    began = time.perf_counter()
    await opened(folder / "single", dim)
    opening = time.perf_counter() - began
    began = time.perf_counter()
    await index.compact()
    compaction = time.perf_counter() - began
    batch = await opened(folder / "batch", dim)
    began = time.perf_counter()
    await batch.add_incremental(vectors, np.arange(count))
    return {
        "single_tenths": tenths,
        "single": round(sum(tenths), 3),
        "batch": round(time.perf_counter() - began, 3),
        "opening": round(opening, 3),
        "compaction": round(compaction, 3),
    }


async def opened(folder: Path, dim: int) -> FAISSDualIndexManager:
    index = FAISSDualIndexManager(folder, FaissConfig(), dim)
    ready, problem = await index.ensure_ready()
    assert ready, problem
    return index


if __name__ == "__main__":
    main()
