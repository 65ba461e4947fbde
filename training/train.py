"""Training of the term vectors: questions find their code, and find it alike as MiniLM does.

    python -m training.train START.npz DEFINITIONS.npz OUT.npz --steps 1000 --rate 6e-3 --seed 1

A text is the sum of its terms' vectors, each times the square root of its count, as in
``StaticEmbedder``. A batch holds code of few packages, so that the wrong answers are as close as those
of one repository. With ``--comments COMMENTS.npz`` a part of it is comments and the lines they announce.
With ``--teacher TEACHER.npz`` a part of it is definitions that MiniLM has seen, and the similarities of
their questions to their code are drawn towards MiniLM's: these know that two functions may answer one
question.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.batches import Bags, Pairs, Rows, draw

BATCH = 1024
PACKAGES_A_BATCH = 16
COMMENT_SHARE = 0.25
TAUGHT_SHARE = 0.25
"""Shares of a batch; the rest is definitions, whether MiniLM has seen them or not."""
TEMPERATURE = 0.05
TEACHING_TEMPERATURE = 0.1
TEACHING_WEIGHT = 1.0
WARM_UP = 50
"""Steps until the learning rate is at its highest."""


class Lesson(NamedTuple):
    """MiniLM's vectors of a part of a batch."""

    places: torch.Tensor
    """Where in the batch."""
    doc: torch.Tensor
    code: torch.Tensor


class Teacher:
    """What ``training.teacher`` made."""

    def __init__(self, path: Path) -> None:
        data = np.load(path)
        self.rows: Rows = data["rows"]
        self._doc, self._code = data["doc"], data["code"]

    def lesson(self, rows: Rows) -> Lesson:
        """Return the vectors of those ``rows`` of definitions that have some."""
        at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        known = np.flatnonzero(self.rows[at] == rows)
        doc, code = (
            torch.from_numpy(vectors[at[known]].astype(np.float32))
            for vectors in (self._doc, self._code)
        )
        return Lesson(torch.from_numpy(known), doc, code)


class Material:
    """Definitions, and with them comments and the teacher's vectors where there are some."""

    def __init__(
        self, definitions: Pairs, comments: Pairs | None = None, teacher: Teacher | None = None
    ) -> None:
        self._definitions, self._comments, self._teacher = definitions, comments, teacher
        self._all = definitions.packages(definitions.rows)
        self._taught = definitions.packages(teacher.rows) if teacher else []
        self._commented = comments.packages(comments.rows) if comments else []

    def draw(self, rng: np.random.Generator) -> tuple[list[tuple[Bags, Bags]], Lesson | None]:
        """Return queries with their documents, those of definitions first, and what MiniLM thinks."""
        taught = int(BATCH * TAUGHT_SHARE) if self._teacher else 0
        commented = int(BATCH * COMMENT_SHARE) if self._comments else 0
        rows = draw(self._all, BATCH - taught - commented, PACKAGES_A_BATCH, rng)
        if self._teacher:
            rows = np.concatenate([draw(self._taught, taught, PACKAGES_A_BATCH, rng), rows])
        examples = [self._definitions.examples(rows, rng)]
        if self._comments:
            drawn = draw(self._commented, commented, PACKAGES_A_BATCH, rng)
            examples.append(self._comments.examples(drawn, rng))
        return examples, self._teacher.lesson(rows) if self._teacher else None


def embed(table: torch.Tensor, texts: list[Bags]) -> torch.Tensor:
    """Return the unit vectors of texts, shape ``(n, dim)``."""
    sums = []
    for bags in texts:
        ids, offsets, weights = map(torch.from_numpy, bags)
        sums.append(
            functional.embedding_bag(ids, table, offsets, mode="sum", per_sample_weights=weights)
        )
    return functional.normalize(torch.cat(sums), eps=1e-6)


def contrast(scores: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of finding each other's partner; ``same`` masks equal queries."""
    scores = scores.masked_fill(same, -1e4)
    target = torch.arange(len(scores))
    return (
        functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)
    ) / 2


def imitate(scores: torch.Tensor, lesson: Lesson) -> torch.Tensor:
    """Return how far the distributions of similarities are from the teacher's, both ways."""
    ours = scores[lesson.places][:, lesson.places] * (TEMPERATURE / TEACHING_TEMPERATURE)
    theirs = lesson.doc @ lesson.code.T / TEACHING_TEMPERATURE
    both = [
        functional.kl_div(
            functional.log_softmax(mine, 1), functional.softmax(taught, 1), reduction="batchmean"
        )
        for mine, taught in ((ours, theirs), (ours.T, theirs.T))
    ]
    return (both[0] + both[1]) / 2


def repeated(texts: list[Bags], codes: NDArray[np.uint64]) -> torch.Tensor:
    """Return which pairs of different positions hold the same text, shape ``(n, n)``.

    ``codes`` gives each term a random number; texts are the same when the sums of theirs are.
    """
    sums = []
    for bags in texts:
        counted = codes[bags.ids] * bags.weights.view(np.uint32)
        totals = np.append(np.uint64(0), np.cumsum(counted, dtype=np.uint64))
        sums.append(np.diff(totals[np.append(bags.offsets, len(counted))]))
    found = np.concatenate(sums)
    return torch.from_numpy(found[:, None] == found[None, :]).fill_diagonal_(False)


def train(
    table: torch.Tensor, material: Material, steps: int, rate: float, rng: np.random.Generator
) -> torch.Tensor:
    """Return the table trained for ``steps`` batches under a cosine schedule."""
    table = table.clone().requires_grad_()
    codes = rng.integers(2**63, size=len(table), dtype=np.uint64)
    optimizer = torch.optim.Adam([table], lr=rate, betas=(0.9, 0.99), fused=True)
    for step in range(steps):
        for group in optimizer.param_groups:
            cosine = (1 + math.cos(math.pi * step / steps)) / 2
            group["lr"] = rate * min(1, (step + 1) / WARM_UP) * cosine
        examples, lesson = material.draw(rng)
        queries, documents = ([pair[at] for pair in examples] for at in (0, 1))
        scores = embed(table, queries) @ embed(table, documents).T / TEMPERATURE
        loss = contrast(scores, repeated(queries, codes))
        if lesson is not None:
            loss = loss + TEACHING_WEIGHT * imitate(scores, lesson)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % 100 == 0:
            print(f"{step}: {loss.item():.3f}", flush=True)
    return table.detach()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("start", "definitions", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--comments", type=Path, help="pairs of comments, to be drawn as well")
    parser.add_argument("--teacher", type=Path, help="MiniLM's vectors, to be imitated as well")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="highest learning rate")
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = np.load(options.start)
    terms = [str(term) for term in start["terms"]]
    material = Material(
        Pairs(options.definitions, terms),
        Pairs(options.comments, terms) if options.comments else None,
        Teacher(options.teacher) if options.teacher else None,
    )
    table = torch.from_numpy(start["vectors"].astype(np.float32))
    rng = np.random.default_rng(options.seed)
    trained = train(table, material, options.steps, options.rate, rng)
    np.savez(options.out, terms=start["terms"], vectors=trained.numpy())


if __name__ == "__main__":
    main()
