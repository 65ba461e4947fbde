"""Rebuild the embedding model and the word statistics of codeintel_rev/data, step by step.

    python -m training.build_static WORK --exclude-repos FILE... --exclude-snippets FILE

Steps leave their results in ``WORK`` and are skipped when the result is there already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.static_embedder import MODEL_PATH
from codeintel_rev.io.static_model import write_model
from training.background_table import write_table
from training.vocabulary import add_exclusions

# Without these glibc gives every large tensor back to the kernel: a quarter of the training time.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000"}

RUNS = (("2e-3", "4"), ("6e-3", "14"))
"""Learning rate and minutes of the trainings whose average is shipped.

The short one stays general, the long one learns how repositories are worded; their average is first
or second on every set that was tried, which neither of them is (docs/model-card.md).
"""


def average(tables: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the mean of tables that are first scaled to the same mean length of a row."""
    scaled = [table / np.linalg.norm(table, axis=1).mean() for table in tables]
    mean: NDArray[np.float32] = np.mean(scaled, axis=0, dtype=np.float32)
    return mean


def step(result: Path, module: str, *arguments: str | Path) -> None:
    """Run one module of this package unless its result exists, which appears only when it is whole.

    What an interrupted step had written stays beside it, so that a step can go on from there.
    """
    if result.exists():
        return
    partial = result.with_name(f"partial-{result.name}")
    given = [partial if argument == result else argument for argument in arguments]
    command = [sys.executable, "-m", f"training.{module}", *map(str, given)]
    begin = time.monotonic()
    subprocess.run(command, check=True, env={**os.environ, **ALLOCATOR})
    partial.rename(result)
    print(f"{result.name}: {(time.monotonic() - begin) / 60:.1f} minutes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    add_exclusions(parser)
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    excluded = ("--exclude-repos", *options.exclude_repos,
                "--exclude-snippets", options.exclude_snippets)  # fmt: skip
    sources, words, functions = work / "sources", work / "words.json", work / "functions.jsonl"
    start, pairs = work / "start.npz", work / "pairs.npz"
    step(sources, "fetch", sources)
    step(words, "vocabulary", sources, words, *excluded)
    step(functions, "functions", sources, functions, *excluded)
    step(start, "distil", words, start)
    step(pairs, "pairs", functions, start, pairs)
    tables = []
    for rate, minutes in RUNS:
        trained = work / f"trained-{rate}.npz"
        step(trained, "train", start, pairs, trained, "--rate", rate, "--minutes", minutes)
        tables.append(np.load(trained)["vectors"])
    write_table(words)
    terms = [str(term) for term in np.load(start)["terms"]]
    digest = write_model(MODEL_PATH, terms, average(tables))
    print(f"{MODEL_PATH.name} {digest}")


if __name__ == "__main__":
    main()
