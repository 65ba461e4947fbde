"""An index that stays open while other processes rebuild, add and remove repositories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.removal import remove_repositories
from codeintel_rev.errors import NotFound
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.registry import Registry
from codeintel_rev.types import Scope

from .conftest import write


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    write(root, "cart.py", "def add_to_cart(item):\n    return item\n")
    index_repositories([root])
    return root


@pytest.fixture
def opened(shop: Path) -> Iterator[LocalIndex]:
    with open_index(shop, refresh=False) as index:
        assert files(index, "add_to_cart") == {"cart.py"}
        yield index


def files(index: LocalIndex, query: str) -> set[str]:
    return {hit.uri for hit in index.search(query).hits if query in hit.code}


def test_a_rebuild_is_noticed(shop: Path, opened: LocalIndex) -> None:
    (former,) = opened.opened
    for word in ("first", "second"):
        write(shop, "pay.py", f"def {word}_payment(card):\n    return card\n")
        index_repositories([shop], full=True)
        assert files(opened, f"{word}_payment") == {"pay.py"}
    assert not former.folder.path.exists()
    assert opened.status().repos[0]["sequence"] > 0


def test_a_view_of_before_ends_as_it_began(shop: Path, opened: LocalIndex) -> None:
    (former,) = opened.selected(None)
    with former.view() as view:
        assert view is not None
        write(shop, "cart.py", "def take_from_cart(item):\n    return item\n")
        index_repositories([shop], full=True)
        assert files(opened, "take_from_cart") == {"cart.py"}
        (record,) = view.catalog.hydrate([0])
        assert "add_to_cart" in record.content


def test_repositories_come_and_go(shop: Path, opened: LocalIndex, tmp_path: Path) -> None:
    write(tmp_path / "bank", "loan.py", "def grant_loan(sum):\n    return sum\n")
    index_repositories([tmp_path / "bank"], data_dir=shop / ".codeintel")
    assert files(opened, "grant_loan") == {"loan.py"}
    assert [repository.name for repository in opened.repositories] == ["bank", "shop"]
    remove_repositories(shop / ".codeintel", ["bank"])
    assert files(opened, "grant_loan") == set()
    with pytest.raises(NotFound, match="no repository 'bank'"):
        opened.search("grant_loan", scope=Scope(repos=("bank",)))


def test_what_was_not_touched_stays_open(shop: Path, opened: LocalIndex, tmp_path: Path) -> None:
    (former,) = opened.opened
    write(tmp_path / "bank", "loan.py", "def grant_loan(sum):\n    return sum\n")
    index_repositories([tmp_path / "bank"], data_dir=shop / ".codeintel")
    assert former in opened.opened


def test_a_view_of_some_repositories_follows_too(shop: Path, opened: LocalIndex) -> None:
    some = opened.restricted(["shop"])
    write(shop, "pay.py", "def settle_payment(card):\n    return card\n")
    index_repositories([shop], full=True)
    assert files(some, "settle_payment") == {"pay.py"}
    assert opened.restricted([]).search("settle_payment").hits == ()


def test_one_that_cannot_be_opened_does_not_hide_the_others(
    shop: Path, opened: LocalIndex, tmp_path: Path
) -> None:
    data_dir = shop / ".codeintel"
    for name in ("atlas", "bank"):
        write(tmp_path / name, f"{name}.py", f"def open_{name}(key):\n    return key\n")
        index_repositories([tmp_path / name], data_dir=data_dir)
    with closing(Registry(data_dir)) as registry:
        atlas = RepositoryFolder(registry.folder(registry.repositories()[0]))
    kept = atlas.journal.read_bytes()
    atlas.journal.write_bytes(b"no database at all " * 100)
    assert files(opened, "open_bank") == {"bank.py"}
    assert files(opened, "open_atlas") == set()
    atlas.journal.write_bytes(kept)
    remove_repositories(data_dir, ["bank"])
    assert files(opened, "open_atlas") == {"atlas.py"}
