"""Rebuild the embedding model and the word statistics of codeintel_rev/data, step by step.

    python -m training.build_static WORK --exclude-repos FILE... --exclude-snippets FILE [--small]

Steps leave their results in ``WORK`` and are skipped when the result is there already. ``--small`` runs
all of them on a few packages in minutes, and leaves what it built in ``WORK``: it shows that the steps
work, and its model is of no use.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.static_embedder import MODEL_PATH
from codeintel_rev.io.static_model import write_model
from codeintel_rev.text.background_idf import TABLE_PATH
from training.background_table import write_table
from training.vocabulary import add_exclusions

# Without these glibc gives every large tensor back to the kernel: a quarter of the training time.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "2000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000"}


class Run(NamedTuple):
    """One training."""

    rate: str
    steps: int
    is_taught: bool
    """Whether comments are pairs as well and MiniLM's similarities are imitated."""

    @property
    def name(self) -> str:
        """A name for its result."""
        return f"{'taught' if self.is_taught else 'plain'}-{self.rate}-{self.steps}"


class Scale(NamedTuple):
    """How much is built."""

    every: int = 1
    """Each so manieth package of the list is fetched."""
    terms: int = 45_000
    taught: int = 36_000
    """Definitions that MiniLM embeds."""
    shortened: int = 1
    """By how much the trainings are shorter."""


SMALL = Scale(every=60, terms=3_000, taught=200, shortened=100)

RUNS = tuple(
    Run(rate, steps, is_taught)
    for is_taught in (False, True)
    for rate, steps in (("2e-3", 1000), ("6e-3", 2000))
)
"""The trainings whose average is shipped.

The slow ones stay general, the fast ones learn how repositories are worded, the taught ones know more
ways to say one thing. Their average finds more than any of them (docs/model-card.md).
"""

Table = NDArray[np.float32]


def average(tables: Sequence[Table], weights: Sequence[float] | None = None) -> Table:
    """Return the mean of tables, each first scaled to the same mean length of a row."""
    scaled = [table / np.linalg.norm(table, axis=1).mean() for table in tables]
    mean: Table = np.average(scaled, axis=0, weights=weights).astype(np.float32)
    return mean


def without_common_component(table: Table, frequency: NDArray[np.float32]) -> Table:
    """Return ``table`` without the direction that texts share most, whatever they are about.

    The rows weigh as much as their terms are frequent.
    """
    weighted = table * np.sqrt(frequency)[:, None]
    _, directions = np.linalg.eigh(weighted.T @ weighted)
    common = directions[:, -1]
    rest: Table = table - np.outer(table @ common, common)
    return rest


def combined(tables: dict[Run, Table], frequency: NDArray[np.float32]) -> Table:
    """Return the model: half plain trainings, half taught ones, of which the fast counts by its steps."""
    plain = average([table for run, table in tables.items() if not run.is_taught])
    taught = {run: table for run, table in tables.items() if run.is_taught}
    mean = average(list(taught.values()), [run.steps for run in taught])
    return average([plain, without_common_component(mean, frequency)])


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


def prepare(work: Path, excluded: Sequence[str | Path], scale: Scale) -> None:
    """Make what the trainings read."""
    sources, words, functions = work / "sources", work / "words.json", work / "functions.jsonl"
    comments, start, pairs = work / "comments.jsonl", work / "start.npz", work / "pairs.npz"
    comment_pairs, teacher = work / "comment-pairs.npz", work / "teacher.npz"
    step(sources, "fetch", sources, "--every", str(scale.every))
    step(words, "vocabulary", sources, words, *excluded)
    step(functions, "functions", sources, functions, *excluded)
    step(comments, "comments", functions, comments)
    step(start, "distil", words, start, "--terms", str(scale.terms))
    step(pairs, "pairs", functions, start, pairs)
    step(comment_pairs, "pairs", comments, start, comment_pairs)
    step(teacher, "teacher", functions, pairs, teacher, "--sample", str(scale.taught))


def trained(work: Path, run: Run, seed: int, scale: Scale) -> Table:
    """Return the vectors of one training."""
    out = work / f"{run.name}.npz"
    more: list[str | Path] = []
    if run.is_taught:
        more = ["--comments", work / "comment-pairs.npz", "--teacher", work / "teacher.npz"]
    step(out, "train", work / "start.npz", work / "pairs.npz", out, "--rate", run.rate,
         "--steps", str(run.steps // scale.shortened), "--seed", str(seed), *more)  # fmt: skip
    vectors: Table = np.load(out)["vectors"]
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--small", action="store_true", help="try all steps on a few packages")
    add_exclusions(parser)
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    excluded = ("--exclude-repos", *options.exclude_repos,
                "--exclude-snippets", options.exclude_snippets)  # fmt: skip
    scale = SMALL if options.small else Scale()
    prepare(work, excluded, scale)
    tables = {run: trained(work, run, seed, scale) for seed, run in enumerate(RUNS, start=1)}
    model = work / MODEL_PATH.name if options.small else MODEL_PATH
    write_table(work / "words.json", work / TABLE_PATH.name if options.small else TABLE_PATH)
    start = np.load(work / "start.npz")
    vectors = combined(tables, start["frequency"])
    digest = write_model(model, [str(term) for term in start["terms"]], vectors)
    print(f"{model} {digest}")


if __name__ == "__main__":
    main()
