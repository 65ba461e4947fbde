"""A repository whose vectors are so many that compaction builds an index of them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.doctor import examine
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.indexing.compactor import Compactor
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.nearest_index import INDEX_FILE
from codeintel_rev.io.registry import Registry
from codeintel_rev.io.static_embedder import StaticEmbedder

QUERIES = ("parse a token", "close the session", "return the cache of a router")
WORDS = ("router", "retry", "cache", "session", "token", "parser")


def module(number: int) -> str:
    word = WORDS[number % len(WORDS)]
    return (
        f"def {word}_{number}(value):\n"
        f'    """Return the {word} that was made for number {number}."""\n'
        f"    return value + {number}\n"
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    for number in range(60):
        (root / f"part{number}.py").write_text(module(number))
    index_repositories([root])
    return root


def compact(root: Path, nearest_from: int) -> RepositoryFolder:
    """Compact as for a repository that is large from ``nearest_from`` chunks on."""
    registry = Registry(root / ".codeintel")
    (repository,) = registry.repositories()
    folder = RepositoryFolder(registry.folder(repository))
    registry.close()
    embedder = StaticEmbedder()
    Compactor(
        folder,
        repository.name,
        embedder.dim,
        nullcontext,
        asker=embedder,
        nearest_from=nearest_from,
    ).run(lambda done, total: None)
    return folder


def found(index: LocalIndex) -> list[list[tuple[str, float | None]]]:
    return [
        [(hit.uri, hit.scores.faiss) for hit in index.search(query, mode="dense").hits]
        for query in QUERIES
    ]


def test_results_are_those_of_comparing_all(repo: Path) -> None:
    with open_index(repo) as index:
        before = found(index)
    folder = compact(repo, nearest_from=10)
    assert (folder.catalog(1) / INDEX_FILE).exists()
    with open_index(repo) as index:
        assert found(index) == before


def test_what_is_edited_afterwards_is_found(repo: Path) -> None:
    compact(repo, nearest_from=10)
    with open_index(repo) as index:
        (repo / "later.py").write_text("def unroll_the_carpet(hall):\n    return hall\n")
        index_repositories([repo])
        assert index.search("unroll the carpet", mode="dense").hits[0].uri == "later.py"


def test_doctor_tells_of_the_index_and_of_its_damage(repo: Path) -> None:
    folder = compact(repo, nearest_from=10)

    def vectors() -> tuple[bool, str]:
        report = examine(repo / ".codeintel")
        return next((c.ok, c.detail) for c in report.checks if c.name.endswith(": vectors"))

    ok, detail = vectors()
    assert ok
    assert "60 in an index of recall" in detail
    path = folder.catalog(1) / INDEX_FILE
    path.write_bytes(path.read_bytes()[:-100])
    ok, detail = vectors()
    assert not ok
    assert INDEX_FILE in detail
    with open_index(repo) as index:  # it is searched all the same, by comparing all
        assert index.search("parse a token", mode="dense").hits


def test_a_repository_of_usual_size_has_none(repo: Path) -> None:
    compact_data_dir(repo / ".codeintel", progress=lambda *_: None)
    assert not list((repo / ".codeintel").rglob(INDEX_FILE))
