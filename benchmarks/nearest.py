"""Builds and searches the index of very many vectors as compaction and a search do.

    python benchmarks/vector_corpus.py FOLDER... --to DIR --queries SET.jsonl ...
    python benchmarks/nearest.py DIR --rows 1000000 [--readers 8]

The vectors are those of real code, with jittered copies where there are too few. Says what building
takes (processor seconds, and the peak of memory that the process holds for itself, the vectors being
mapped), time and recall of searches for ``queries.npy``, under scopes too, and the memory of
``--readers`` processes that search the same files. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from machine import machine
from numpy.typing import NDArray
from scale import memory, quality
from vectors import load
from wide_tree import private_mib

from codeintel_rev.io.nearest_index import build_nearest, open_nearest
from codeintel_rev.retrieval.dense_searcher import DenseSearcher

SHARES = (1.0, 0.5, 0.1, 0.01, 0.001)
READER = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[3])
from nearest import open_searcher
corpus, folder = map(Path, sys.argv[1:3])
searcher, mask = open_searcher(folder)
for query in np.load(corpus / "queries.npy")[:200]:
    searcher.search(query, 50, mask)
print("ready", flush=True)
sys.stdin.read()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--readers", type=int, default=8)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(dir=options.corpus) as scratch:
        folder = Path(scratch)
        data, real = load(options.corpus, options.rows, 200)
        data.halves.tofile(folder / "all.f16")
        queries, titles = data.queries, data.titles
        del data
        told = {"machine": about, "rows": options.rows, "real_rows": real}
        told["build"] = build(folder, titles)
        told["search"] = search(folder, queries)
        told["readers"] = read(options.corpus, folder, options.readers)
    print(json.dumps(told, indent=1))


def mapped(folder: Path) -> NDArray[np.float16]:
    dim = 256
    whole: NDArray[np.float16] = np.memmap(folder / "all.f16", dtype=np.float16, mode="r")
    return whole.reshape(-1, dim)


def open_searcher(folder: Path) -> tuple[DenseSearcher, NDArray[np.bool_]]:
    halves = mapped(folder)
    searcher = DenseSearcher([(0, halves)], np.arange(len(halves)), nearest=open_nearest(folder))
    return searcher, np.ones(len(halves), dtype=np.bool_)


def build(folder: Path, titles: NDArray[np.float32]) -> dict[str, object]:
    """Build in this process; the peak is of what it then holds beyond what it held before."""
    before, peak, done = private_mib("self"), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], private_mib("self"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, cpu = time.perf_counter(), time.process_time()
    manifest = build_nearest(folder, mapped(folder), titles)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    done.set()
    watcher.join()
    return {
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_private_mib": round(peak[0] - before),
        "file_mib": round((folder / "vectors.faiss").stat().st_size / 2**20, 1),
        "nlist": manifest.nlist,
        "nprobe": manifest.nprobe,
        "recall_at_10_on_titles": manifest.recall_at_10,
    }


def search(folder: Path, queries: NDArray[np.float32]) -> dict[str, object]:
    """Time and recall, whole and under scopes that are drawn at random or as neighbours."""
    halves = mapped(folder)
    served, everything = open_searcher(folder)
    exact = DenseSearcher([(0, halves)], np.arange(len(halves)))
    generator = np.random.default_rng(0)
    centre = halves[int(generator.integers(len(halves)))].astype(np.float32)
    near = np.concatenate(
        [
            halves[at : at + 65_536].astype(np.float32) @ centre
            for at in range(0, len(halves), 65_536)
        ]
    )
    told: dict[str, object] = {"everything": quality(served, exact, queries, everything)}
    for share in SHARES[1:]:
        scopes = {
            "at random": generator.random(len(halves)) < share,
            "neighbours": near >= np.quantile(near, 1 - share),
        }
        for name, mask in scopes.items():
            told[f"{share:.1%} {name}"] = quality(served, exact, queries[:100], mask)
    return told


def read(corpus: Path, folder: Path, readers: int) -> dict[str, float]:
    """Memory of processes that have searched the same files, in MiB each."""
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", READER, str(corpus), str(folder), here]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(readers)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise SystemExit("a reader failed")
        found = [memory(process.pid) for process in processes]
    finally:
        for process in processes:
            process.communicate("")
    return {name: round(float(np.mean([one[name] for one in found])), 1) for name in found[0]}


if __name__ == "__main__":
    main()
