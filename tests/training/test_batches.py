"""What a training batch is made of."""

from pathlib import Path

import numpy as np
import pytest

from training.batches import Bags, Pairs, draw
from training.pairs import FIELDS

TERMS = [*"abcdefghkl", "how", "to", "python"]
ROW = {"name": "ab", "doc": "cde", "rest": "f", "path": "", "body": "abghklghkl"}
UNNAMED = {**ROW, "name": ""}
UNDOCUMENTED = {**ROW, "doc": "", "rest": ""}
TINY = {**ROW, "body": "a"}


def write(path: Path, rows: list[dict[str, str]], groups: list[int]) -> Pairs:
    arrays = {}
    for field in FIELDS:
        runs = [[TERMS.index(letter) for letter in row[field]] for row in rows]
        if field == "path":
            runs = [[TERMS.index("python"), *run] for run in runs]
        arrays[f"{field}_ids"] = np.array([at for run in runs for at in run], np.int32)
        arrays[f"{field}_ends"] = np.cumsum([0, *map(len, runs)])
    np.savez(path, groups=np.array(groups, np.int32), **arrays)
    return Pairs(path, TERMS)


def texts(bags: Bags) -> list[set[str]]:
    return [{TERMS[at] for at in ids} for ids in np.split(bags.ids, bags.offsets[1:])]


def test_rows_with_little_code_are_left_out(tmp_path: Path) -> None:
    pairs = write(tmp_path / "p.npz", [ROW, TINY, UNDOCUMENTED], [0, 0, 1])
    assert pairs.rows.tolist() == [0, 2]
    assert [package.tolist() for package in pairs.packages(np.arange(3))] == [[0], [2]]


@pytest.mark.parametrize("row", [ROW, UNNAMED, UNDOCUMENTED])
def test_every_query_asks_with_words_of_its_row(tmp_path: Path, row: dict[str, str]) -> None:
    pairs = write(tmp_path / "p.npz", [row], [0])
    queries, documents = pairs.examples(np.zeros(300, np.int64), np.random.default_rng(1))
    for query in texts(queries):
        assert query & set(row["name"] + row["doc"])
        assert not query & set("fghkl")
    assert all(document & set("ghkl") for document in texts(documents))


def test_a_query_by_name_does_not_find_the_name_in_the_head(tmp_path: Path) -> None:
    pairs = write(tmp_path / "p.npz", [UNDOCUMENTED], [0])
    _, documents = pairs.examples(np.zeros(300, np.int64), np.random.default_rng(1))
    assert not any(document & set("ab") for document in texts(documents))


def test_counts_are_damped(tmp_path: Path) -> None:
    pairs = write(tmp_path / "p.npz", [{**UNDOCUMENTED, "body": "g" * 16}], [0])
    _, documents = pairs.examples(np.zeros(50, np.int64), np.random.default_rng(1))
    assert documents.weights.max() <= 4
    assert documents.weights.mean() > 3


def test_the_same_seed_draws_the_same_batch(tmp_path: Path) -> None:
    pairs = write(tmp_path / "p.npz", [ROW] * 40, [n % 4 for n in range(40)])
    packages = pairs.packages(pairs.rows)
    first, second = (draw(packages, 12, 3, np.random.default_rng(5)) for _ in range(2))
    assert first.tolist() == second.tolist()
    assert len({row % 4 for row in first.tolist()}) == 3
    assert len(set(first.tolist())) == 12
