"""Contrastive training of the term vectors: documentation and names find their bodies.

    python -m training.train START.npz PAIRS.npz OUT.npz --minutes 14 --rate 6e-3

A text is the sum of its terms' vectors, each times the square root of its count, as in
``StaticEmbedder``. A batch holds definitions of few packages, so that the wrong answers are as
close as those of one repository.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.pairs import FIELDS, MIN_BODY_TERMS

BATCH = 2048
PACKAGES_A_BATCH = 16
TEMPERATURE = 0.05
NAME_SHARE = 0.25
"""Share of the queries that are names instead of documentation."""
DROPPED_TERMS = 0.1
PHRASED = 0.4
"""Share of the queries that are put as people put them: a phrase around them, the language named."""
PHRASES = (
    "how to", "how do i", "how can i", "how does it", "how is", "where is", "where are", "what is",
    "what does", "what happens when", "which function", "which class", "which file", "function to",
    "function that", "method for", "code that", "code to", "class for", "find", "show me", "example of",
    "best way to", "is there a way to", "i want to", "can you", "why does", "the implementation of",
)  # fmt: skip

Ids = NDArray[np.int32]


class Pairs:
    """The definitions of ``training.pairs``, drawn in batches."""

    def __init__(self, path: Path, terms: list[str]) -> None:
        data = np.load(path)
        ids = {term: at for at, term in enumerate(terms)}
        self._phrases = [
            np.array([ids[word] for word in phrase.split() if word in ids], np.int32)
            for phrase in PHRASES
        ]
        self._ids = {field: data[f"{field}_ids"] for field in FIELDS}
        self._ends = {field: data[f"{field}_ends"] for field in self._ids}
        lengths = {field: np.diff(ends) for field, ends in self._ends.items()}
        self.documented = lengths["doc"] >= 3
        usable = (lengths["body"] >= MIN_BODY_TERMS) & (self.documented | (lengths["name"] >= 2))
        groups = data["groups"]
        order = np.flatnonzero(usable)
        order = order[np.argsort(groups[order], kind="stable")]
        _, starts = np.unique(groups[order], return_index=True)
        self.members = np.split(order, starts[1:])
        self.count = len(order)

    def take(self, field: str, row: int) -> Ids:
        """Return one definition's ids of a field."""
        ends = self._ends[field]
        ids: Ids = self._ids[field][ends[row] : ends[row + 1]]
        return ids

    def draw(self, rng: np.random.Generator, batch: int) -> NDArray[np.int64]:
        """Return the rows of a batch: equal parts of a few packages, larger ones more often."""
        weights = np.sqrt([len(member) for member in self.members])
        chosen = rng.choice(
            len(self.members), PACKAGES_A_BATCH, replace=False, p=weights / weights.sum()
        )
        each = batch // PACKAGES_A_BATCH
        return np.concatenate(
            [rng.choice(self.members[at], min(each, len(self.members[at])), replace=False)
             for at in chosen]
        )  # fmt: skip

    def example(self, row: int, rng: np.random.Generator) -> tuple[Ids, Ids]:
        """Return a query and its document; most words of the one are not given to the other."""
        body, path, name, doc = (self.take(field, row) for field in ("body", "path", "name", "doc"))
        parts = [body]
        if rng.random() < 0.5:
            parts.append(path[1:])
        if self.documented[row] and rng.random() >= NAME_SHARE:
            query, kept = split(doc, rng)
            parts += [name, kept]
        else:
            query = name
            parts[0] = body[~np.isin(body, name)] if rng.random() < 0.5 else body[len(name) :]
            parts.append(doc)
        if rng.random() < 0.5:
            parts.append(self.take("rest", row))
        if rng.random() < PHRASED:
            query = np.concatenate([self._phrases[rng.integers(len(PHRASES))], query])
        if rng.random() < PHRASED:
            query = np.concatenate([path[:1], query])
        document = np.concatenate(parts)
        return query, document[rng.random(len(document)) >= DROPPED_TERMS]


def split(doc: Ids, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """Return the words of documentation that a query asks with and those that the code keeps."""
    if rng.random() < 0.5:
        return doc, doc[:0]
    asked = rng.random(len(doc)) < rng.uniform(0.3, 0.9)
    return (doc[asked], doc[~asked]) if asked.any() else (doc, doc[:0])


def bag(texts: list[Ids], size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return distinct ids, offsets and damped counts of texts, as ``embedding_bag`` takes them."""
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), [len(text) for text in texts])
    keys, counts = np.unique(owners * size + np.concatenate(texts), return_counts=True)
    offsets = np.searchsorted(keys, np.arange(len(texts), dtype=np.int64) * size)
    weights = np.sqrt(counts).astype(np.float32)
    return torch.from_numpy(keys % size), torch.from_numpy(offsets), torch.from_numpy(weights)


def embed(table: torch.Tensor, texts: list[Ids]) -> torch.Tensor:
    """Return the unit vectors of texts, shape ``(n, dim)``."""
    ids, offsets, weights = bag(texts, len(table))
    sums = functional.embedding_bag(ids, table, offsets, mode="sum", per_sample_weights=weights)
    return functional.normalize(sums, eps=1e-6)


def contrast(queries: torch.Tensor, documents: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of finding each other's partner; ``same`` masks equal queries."""
    scores = (queries @ documents.T / TEMPERATURE).masked_fill(same, -1e4)
    target = torch.arange(len(scores))
    return (
        functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)
    ) / 2


def repeated(texts: list[Ids]) -> torch.Tensor:
    """Return which pairs of different positions hold the same text, shape ``(n, n)``."""
    codes = np.unique([hash(text.tobytes()) for text in texts], return_inverse=True)[1]
    same = torch.from_numpy(codes[:, None] == codes[None, :])
    return same.fill_diagonal_(False)


def train(
    table: torch.Tensor, pairs: Pairs, seconds: float, rate: float, rng: np.random.Generator
) -> torch.Tensor:
    """Return the trained table after ``seconds`` of processor time under a cosine schedule."""
    table = table.clone().requires_grad_()
    optimizer = torch.optim.Adam([table], lr=rate, betas=(0.9, 0.99), fused=True)
    begin, step, running = time.process_time(), 0, 0.0
    while (done := (time.process_time() - begin) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 50) * (1 + math.cos(math.pi * done)) / 2
        examples = [pairs.example(row, rng) for row in pairs.draw(rng, BATCH)]
        queries, documents = ([pair[at] for pair in examples] for at in (0, 1))
        loss = contrast(embed(table, queries), embed(table, documents), repeated(queries))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        running = 0.98 * running + 0.02 * loss.item() if step else loss.item()
        step += 1
        if step % 100 == 0:
            print(f"step {step} {done:.0%} loss {running:.3f}", flush=True)
    return table.detach()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True, help="processor time")
    parser.add_argument("--rate", type=float, required=True, help="highest learning rate")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    start = np.load(options.start)
    pairs = Pairs(options.pairs, [str(term) for term in start["terms"]])
    print(f"{pairs.count} definitions of {len(pairs.members)} packages", flush=True)
    table = torch.from_numpy(start["vectors"].astype(np.float32))
    trained = train(table, pairs, options.minutes * 60, options.rate, np.random.default_rng(1))
    np.savez(options.out, terms=start["terms"], vectors=trained.numpy())


if __name__ == "__main__":
    main()
