from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from codeintel_rev.errors import (
    Busy,
    IndexDamaged,
    IndexForeign,
    IndexMissing,
    InvalidArgument,
    StorageFailed,
)
from codeintel_rev.io import journal_schema
from codeintel_rev.io.journal_schema import connect
from codeintel_rev.io.registry import Registry


def test_a_root_keeps_its_key_and_name(tmp_path: Path) -> None:
    registry = Registry(tmp_path, create=True)
    first = registry.register(Path("/src/app"), "/src/app/.git", None)
    again = registry.register(Path("/src/app"), "/src/app/.git", None)
    registry.close()
    assert first == again
    assert first.name == "app"


def test_a_second_root_of_the_same_name_needs_another_one(tmp_path: Path) -> None:
    registry = Registry(tmp_path, create=True)
    registry.register(Path("/one/app"), "/one/app", None)
    with pytest.raises(InvalidArgument, match="belongs to /one/app") as caught:
        registry.register(Path("/two/app"), "/two/app", None)
    assert "--name" in caught.value.hint
    other = registry.register(Path("/two/app"), "/two/app", "app2")
    assert [r.name for r in registry.repositories()] == ["app", "app2"]
    assert registry.folder(other).parent == tmp_path / "repos"
    registry.close()


def test_a_folder_without_an_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing) as caught:
        Registry(tmp_path)
    assert "codeintel index" in caught.value.hint


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="cannot be read: File name too long"):
        Registry(tmp_path / ("a" * 300))


def test_another_format_is_refused_with_both_numbers(tmp_path: Path) -> None:
    Registry(tmp_path, create=True).close()
    connection = connect(tmp_path / "registry.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(IndexForeign, match="format 99, this program reads format 2"):
        Registry(tmp_path)


def test_a_root_around_or_inside_is_kept_relative(tmp_path: Path) -> None:
    data = tmp_path / "app" / ".codeintel"
    registry = Registry(data, create=True)
    around = registry.register(tmp_path / "app", str(tmp_path / "app" / ".git"), None)
    mirror = data / "mirrors" / "lib.git"
    inside = registry.register(mirror, "https://host/lib.git", "lib")
    outside = registry.register(tmp_path / "other", str(tmp_path / "other"), None)
    assert registry.repositories() == [around, inside, outside]
    registry.close()
    (tmp_path / "app").rename(tmp_path / "moved")
    registry = Registry(tmp_path / "moved" / ".codeintel")
    assert [(r.root, r.identity) for r in registry.repositories()] == [
        (str(tmp_path / "moved"), str(tmp_path / "moved" / ".git")),
        (str(tmp_path / "moved" / ".codeintel" / "mirrors" / "lib.git"), "https://host/lib.git"),
        (str(tmp_path / "other"), str(tmp_path / "other")),
    ]
    registry.close()


def test_a_registry_of_the_format_before_is_brought_up_to_date(tmp_path: Path) -> None:
    data = tmp_path / "app" / ".codeintel"
    Registry(data, create=True).close()
    connection = connect(data / "registry.sqlite")
    connection.executemany(
        "INSERT INTO repo VALUES (?, ?, ?, ?, 'worktree')",
        [
            ("a", "app", str(tmp_path / "app"), str(tmp_path / "app" / ".git")),
            ("b", "other", "/src/other", "/src/other/.git"),
        ],
    )
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    Registry(data).close()
    (tmp_path / "app").rename(tmp_path / "moved")
    registry = Registry(tmp_path / "moved" / ".codeintel")
    assert [r.root for r in registry.repositories()] == [str(tmp_path / "moved"), "/src/other"]
    registry.close()


def test_garbage_is_called_damage(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(IndexDamaged):
        Registry(tmp_path)


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE repo DROP COLUMN default_ref", "UPDATE repo SET root = x'ff'", "DROP TABLE repo"],
)
def test_a_registry_of_other_columns_is_called_damage(tmp_path: Path, sql: str) -> None:
    registry = Registry(tmp_path, create=True)
    registry.register(Path("/src/app"), "/src/app/.git", None)
    registry.close()
    connection = connect(tmp_path / "registry.sqlite")
    connection.execute(sql)
    connection.close()
    with pytest.raises(IndexDamaged, match="cannot be read") as caught:
        Registry(tmp_path)
    assert "codeintel index" in caught.value.hint


def test_a_registry_that_another_process_keeps_locked_is_busy_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_schema, "BUSY_TIMEOUT_S", 0.01)
    Registry(tmp_path, create=True).close()
    holder = connect(tmp_path / "registry.sqlite")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy, match=r"registry\.sqlite is locked"):
        Registry(tmp_path)
    holder.close()


def test_a_repository_is_entered_once_by_two_processes(tmp_path: Path) -> None:
    first, second = Registry(tmp_path, create=True), Registry(tmp_path, create=True)
    together = Barrier(2)

    def register(registry: Registry) -> str:
        together.wait()
        return registry.register(Path("/src/app"), "/src/app/.git", None).key

    with ThreadPoolExecutor(2) as pool:
        keys = set(pool.map(register, [first, second]))
    assert keys == {repository.key for repository in first.repositories()}
    assert len(keys) == 1
    first.close()
    second.close()


def test_a_key_that_leads_out_of_the_data_directory_is_damage(tmp_path: Path) -> None:
    registry = Registry(tmp_path, create=True)
    registry.register(Path("/src/app"), "/src/app/.git", None)
    registry.close()
    connection = connect(tmp_path / "registry.sqlite")
    connection.execute("UPDATE repo SET key = '../../home'")
    connection.close()
    with pytest.raises(IndexDamaged, match="is no key"):
        Registry(tmp_path)


def test_a_disk_that_takes_nothing_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr("codeintel_rev.io.registry.connect", full)
    with pytest.raises(StorageFailed, match="the disk is full"):
        Registry(tmp_path, create=True)
