"""Removing rows from a word index leaves what a fresh build of the others gives."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import tantivy

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.retrieval import lexical_files
from codeintel_rev.retrieval.lexical_removal import (
    SPARE_DOCUMENTS,
    is_scattered,
    link,
    remove_rows,
)
from codeintel_rev.retrieval.lexical_schema import FIELDS, open_index
from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument, TantivyWriter, padded

VOCABULARY = [f"word{number}" for number in range(300)]


def documents(count: int) -> list[LexicalDocument]:
    """Return documents of very different lengths, a few words being in most of them."""
    chance = random.Random(5)
    weights = [1 / (at + 1) for at in range(len(VOCABULARY))]
    made = []
    for row in range(count):
        lengths = (chance.randint(1, 900), chance.randint(0, 3), chance.randint(1, 90), 50)
        fields = (chance.choices(VOCABULARY, weights, k=length) for length in lengths)
        made.append(LexicalDocument(row, *map(" ".join, fields)))
    return made


def build(folder: Path, made: list[LexicalDocument], commits: int = 1) -> Path:
    size = -(-len(made) // commits)
    for at in range(0, len(made), size):
        writer = TantivyWriter(folder, bulk=False, create=at == 0)
        writer.add(made[at : at + size])
        writer.commit()
        writer.close()
    return folder


def scores(folder: Path, terms: list[str], rows: int) -> dict[int, float]:
    searcher = TantivySearcher(folder, lambda term: 1.0 + len(term))
    found, values = searcher.search(terms, rows, np.ones(rows, dtype=np.bool_))
    return dict(zip(found.tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize("commits", [1, 2, 7, 12])
def test_scores_are_those_of_a_fresh_build_to_the_last_bit(tmp_path: Path, commits: int) -> None:
    made = documents(200)
    folder = build(tmp_path / "old", made, commits)
    left = made
    for gone in (range(0, 200, 3), range(1, 200, 3)):
        left = [document for document in left if document.row not in gone]
        link(folder, folder := tmp_path / f"without {gone.start}")
        remove_rows(folder, gone, left[:SPARE_DOCUMENTS])
    fresh = build(tmp_path / "fresh", left)
    assert lexical_files.segment_sizes(folder) == [len(left)]
    assert lexical_files.all_rows(folder).tolist() == [document.row for document in left]
    for terms in (["word0"], ["word1", "word7"], ["word40", "word41", "word299"]):
        expected = scores(fresh, terms, 200)
        assert expected
        assert scores(folder, terms, 200) == expected


def test_many_segments_become_one_that_scores_alike(tmp_path: Path) -> None:
    made = documents(200)
    folder = build(tmp_path / "many", made, commits=5)
    assert is_scattered(folder)
    expected = scores(folder, ["word1", "word7"], 200)
    remove_rows(folder, (), made[:SPARE_DOCUMENTS])
    assert not is_scattered(folder)
    assert lexical_files.segment_sizes(folder) == [200]
    assert scores(folder, ["word1", "word7"], 200) == expected


def test_the_index_that_was_linked_stays_as_it_was(tmp_path: Path) -> None:
    made = documents(50)
    old = build(tmp_path / "old", made)
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    link(old, tmp_path / "new")
    remove_rows(tmp_path / "new", range(20), made[20 : 20 + SPARE_DOCUMENTS])
    after = {path.name: path.read_bytes() for path in old.iterdir()}
    assert {name: after[name] for name in before} == before


def test_the_largest_segment_may_be_the_emptiest(tmp_path: Path) -> None:
    made = documents(100)
    folder = build(tmp_path / "words", made)
    remove_rows(folder, range(91), made[-SPARE_DOCUMENTS:])
    assert lexical_files.segment_sizes(folder) == [9]


def test_a_damaged_index_is_told(tmp_path: Path) -> None:
    made = documents(50)
    folder = build(tmp_path / "words", made)
    for path in folder.glob("*.term"):
        path.unlink()
    with pytest.raises(IndexDamaged):
        remove_rows(folder, range(20), made[20 : 20 + SPARE_DOCUMENTS])


def test_lengths_are_those_that_the_index_keeps_exactly(tmp_path: Path) -> None:
    """The sum of lengths survives a removal of nothing that is really there."""
    made = [LexicalDocument(n, " ".join(["a"] * (n + 1)), "", "", "") for n in range(600)]
    folder = build(tmp_path / "words", made)

    def lengths() -> list[float]:
        searcher = open_index(folder).searcher()
        query = tantivy.Query.term_query(open_index(folder).schema, "body", "a", "freq")
        hits = searcher.search(query, 600, count=False).hits
        return [score for score, _ in hits]

    before = lengths()
    remove_rows(folder, [], made[:SPARE_DOCUMENTS])
    assert lengths() == before


@pytest.mark.parametrize("length", [1, 40])
def test_short_fields_are_left_as_they_are(length: int) -> None:
    terms = " ".join(["a"] * length)
    assert padded(terms) == terms


def test_longer_fields_grow_by_at_most_an_eighth() -> None:
    for length in range(41, 5000):
        grown = padded(" ".join(["a"] * length)).split()
        assert len(grown) <= length * 1.125
        assert padded(" ".join(grown)) == " ".join(grown)


def test_every_field_is_padded() -> None:
    assert LexicalDocument._fields[1:] == FIELDS
