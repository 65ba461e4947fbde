"""Queries and the documents that they should find, drawn from definitions and comments."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.pairs import FIELDS, MIN_BODY_TERMS, MIN_DOC_TERMS

MIN_NAME_TERMS = 2
"""Shorter names tell too little to ask with when there is no documentation."""
NAME_SHARE = 0.25
"""Share of the queries that are names although there is documentation."""
KEPT_BY_CODE = 0.5
"""How often a document has its path, the rest of its documentation, or words that a query took."""
ASKED = (0.3, 0.9)
"""A query that shares its documentation with the document asks with a share of its words in this range."""
DROPPED_TERMS = 0.1
PHRASED = 0.4
"""Share of the queries that are put as people put them: a phrase around them, the language named."""
PHRASES = (
    "how to", "how do i", "how can i", "how does it", "how is", "where is", "where are", "what is",
    "what does", "what happens when", "which function", "which class", "which file", "function to",
    "function that", "method for", "code that", "code to", "class for", "find", "show me", "example of",
    "best way to", "is there a way to", "i want to", "can you", "why does", "the implementation of",
)  # fmt: skip

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Bags(NamedTuple):
    """Texts as ``embedding_bag`` takes them: distinct terms, where each text starts, damped counts."""

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    weights: NDArray[np.float32]


class Words(NamedTuple):
    """Terms of several texts, in order: whose, which, and the how-manieth of its text each is."""

    owners: NDArray[np.int64]
    ids: NDArray[np.int64]
    places: NDArray[np.int64]

    def where(self, mask: Mask) -> Words:
        """Return the words at which ``mask`` holds."""
        return Words(self.owners[mask], self.ids[mask], self.places[mask])


class Pairs:
    """The rows of ``training.pairs``, drawn in batches and turned into examples."""

    def __init__(self, path: Path, terms: list[str]) -> None:
        data = np.load(path)
        ids = {term: at for at, term in enumerate(terms)}
        self._size = len(terms)
        phrases = [[ids[word] for word in phrase.split() if word in ids] for phrase in PHRASES]
        self._phrases = _Runs.of(phrases)
        self._runs = {field: _Runs(data[f"{field}_ids"], data[f"{field}_ends"]) for field in FIELDS}
        lengths = {field: run.lengths for field, run in self._runs.items()}
        self._documented = lengths["doc"] >= MIN_DOC_TERMS
        self._groups = data["groups"]
        self._named = lengths["name"] > 0
        usable = self._documented | (lengths["name"] >= MIN_NAME_TERMS)
        self.rows: Rows = np.flatnonzero(usable & (lengths["body"] >= MIN_BODY_TERMS))

    def packages(self, among: Rows) -> list[Rows]:
        """Return the usable ones of the rows ``among``, an array a package."""
        rows = np.intersect1d(among, self.rows)
        rows = rows[np.argsort(self._groups[rows], kind="stable")]
        _, starts = np.unique(self._groups[rows], return_index=True)
        return np.split(rows, starts[1:])

    def examples(self, rows: Rows, rng: np.random.Generator) -> tuple[Bags, Bags]:
        """Return a query and its document a row; most words of the one are not given to the other."""
        asks_doc = self._documented[rows]
        asks_doc &= ~(self._named[rows] & _coin(rng, len(rows), NAME_SHARE))
        words = {field: run.take(rows) for field, run in self._runs.items()}
        asked, kept = _split(words["doc"], len(rows), rng)
        name, body, path = words["name"], words["body"], words["path"]
        by_name = ~asks_doc
        queries = [
            asked.where(asks_doc[asked.owners]),
            name.where(by_name[name.owners]),
            *self._phrased(path, len(rows), rng),
        ]
        documents = [
            body.where(~self._told_by_name(body, name, by_name, rng)),
            path.where(_coin(rng, len(rows), KEPT_BY_CODE)[path.owners] & (path.places > 0)),
            name.where(asks_doc[name.owners]),
            kept.where(asks_doc[kept.owners]),
            words["doc"].where(by_name[words["doc"].owners]),
            words["rest"].where(_coin(rng, len(rows), KEPT_BY_CODE)[words["rest"].owners]),
        ]
        return self._bags(queries, len(rows)), self._bags(documents, len(rows), rng)

    def _phrased(self, path: Words, count: int, rng: np.random.Generator) -> list[Words]:
        """Return phrases for some queries, and the name of the language, which opens the path, for some."""
        phrased = np.flatnonzero(_coin(rng, count, PHRASED))
        phrase = self._phrases.take(rng.integers(len(PHRASES), size=len(phrased)))
        named = _coin(rng, count, PHRASED)
        return [
            phrase._replace(owners=phrased[phrase.owners]),
            path.where(named[path.owners] & (path.places == 0)),
        ]

    def _told_by_name(
        self, body: Words, name: Words, by_name: Mask, rng: np.random.Generator
    ) -> Mask:
        """Return which words of bodies a query by name takes away: all of the name's, or the head's."""
        everywhere = _coin(rng, len(by_name), KEPT_BY_CODE)
        in_name = np.isin(self._keys(body), self._keys(name))
        in_head = body.places < np.bincount(name.owners, minlength=len(by_name))[body.owners]
        taken: Mask = by_name[body.owners] & np.where(everywhere[body.owners], in_name, in_head)
        return taken

    def _keys(self, words: Words) -> NDArray[np.int64]:
        return words.owners * self._size + words.ids

    def _bags(self, parts: list[Words], count: int, rng: np.random.Generator | None = None) -> Bags:
        """Join parts of ``count`` texts; with ``rng``, a share of the terms is dropped."""
        keys = np.concatenate([self._keys(part) for part in parts])
        if rng is not None:
            keys = keys[rng.random(len(keys)) >= DROPPED_TERMS]
        keys, counts = np.unique(keys, return_counts=True)
        offsets = np.searchsorted(keys, np.arange(count, dtype=np.int64) * self._size)
        weights = np.sqrt(counts).astype(np.float32)
        return Bags(keys % self._size, offsets, weights)


class _Runs:
    """Runs of ids, one after the other."""

    def __init__(self, ids: NDArray[np.int32], ends: NDArray[np.int64]) -> None:
        self._ids, self._starts = ids, ends[:-1]
        self.lengths: NDArray[np.int64] = np.diff(ends)

    @classmethod
    def of(cls, runs: list[list[int]]) -> _Runs:
        lengths = np.array([0, *map(len, runs)], np.int64)
        return cls(np.array([at for run in runs for at in run], np.int32), np.cumsum(lengths))

    def take(self, rows: Rows) -> Words:
        """Return the words of the runs ``rows``."""
        lengths = self.lengths[rows]
        owners = np.repeat(np.arange(len(rows)), lengths)
        places = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        found = np.repeat(self._starts[rows], lengths) + places
        return Words(owners, self._ids[found].astype(np.int64), places)


def draw(packages: list[Rows], count: int, spread: int, rng: np.random.Generator) -> Rows:
    """Return about ``count`` rows: equal parts of ``spread`` packages, larger ones more often."""
    weights = np.sqrt([len(package) for package in packages])
    chosen = rng.choice(
        len(packages), min(spread, len(packages)), replace=False, p=weights / weights.sum()
    )
    each = count // len(chosen)
    return np.concatenate(
        [rng.choice(packages[at], min(each, len(packages[at])), replace=False) for at in chosen]
    )


def _coin(rng: np.random.Generator, count: int, share: float) -> Mask:
    return rng.random(count) < share


def _split(doc: Words, count: int, rng: np.random.Generator) -> tuple[Words, Words]:
    """Return the words of documentation that queries ask with, and those that the code keeps."""
    share = np.where(_coin(rng, count, KEPT_BY_CODE), rng.uniform(*ASKED, count), 1.0)
    asked = rng.random(len(doc.owners)) < share[doc.owners]
    # A query needs a word.
    asked |= (np.bincount(doc.owners[asked], minlength=count) == 0)[doc.owners]
    return doc.where(asked), doc.where(~asked)
