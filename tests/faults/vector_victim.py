"""The process that is killed while it changes and compacts a vector index, counting its steps.

``python -m tests.faults.vector_victim FOLDER [STEP]`` dies at STEP; without it the names of all the
steps are printed as JSON. Each change that returned is told on the standard error.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from tests.faults.steps import Steps

DIM = 8
FIRST = 40
"""Vectors of the index before the process starts."""


def vector(number: int) -> np.ndarray:
    found = np.random.default_rng(number).normal(size=DIM)
    return (found / np.linalg.norm(found)).astype(np.float32)


def states() -> list[dict[int, int]]:
    """Id to number of vector, before the first change and after each."""
    before = {number: number for number in range(FIRST)}
    added = before | {100: 100, 101: 101}
    removed = {key: value for key, value in added.items() if key not in (3, 100)}
    again = removed | {5: 105}
    return [before, added, removed, again, again, again | {106: 106}]


async def act(folder: Path) -> None:
    """Make the changes that lead from each of the ``states`` to the next."""
    from codeintel_rev.config.settings import FaissConfig
    from codeintel_rev.io.faiss_dual_index import FAISSDualIndexManager

    index = FAISSDualIndexManager(folder, FaissConfig(), DIM)
    ready, error = await index.ensure_ready()
    assert ready, error
    await index.add_incremental([vector(100), vector(101)], [100, 101])
    tell("added")
    await index.remove([3, 100])
    tell("removed")
    await index.add_incremental([vector(105)], [5])
    tell("added again")
    await index.compact()
    tell("compacted")
    await index.add_incremental([vector(106)], [106])
    tell("added more")


def tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def main() -> None:
    folder, *step = sys.argv[1:]
    steps = Steps(int(step[0]) if step else None)
    steps.install()
    asyncio.run(act(Path(folder)))
    sys.stdout.write(json.dumps(steps.names))


if __name__ == "__main__":
    main()
