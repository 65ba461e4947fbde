from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.journal_faults import explained, fault_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The journal of an index of two files."""
    root = tmp_path_factory.mktemp("faults") / "shop"
    root.mkdir()
    (root / "price.py").write_text("def total(items):\n    return sum(items)\n")
    (root / "README.md").write_text("# Shop\n\nPrices.\n")
    index_repositories([root])
    (path,) = root.glob(".codeintel/repos/*/state.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


@pytest.fixture
def journal(tmp_path: Path, made: bytes) -> Path:
    path = tmp_path / "state.sqlite"
    path.write_bytes(made)
    return path


def damaged(journal: Path, sql: str) -> None:
    with closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute(sql)


def test_what_a_writer_left_is_without_fault(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        assert fault_of(connection) is None


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE chunk SET symbol = x'ff'", "another type in the table chunk"),
        ("UPDATE version SET content_hash = 'text'", "another type in the table version"),
        ("UPDATE snapshot_file SET mtime_ns = x''", "another type in the table snapshot_file"),
        ("UPDATE version SET spans = x'010203'", "a list of lines of half a chunk"),
        ("UPDATE snapshot SET live = x'00'", "a bitmap without its length"),
        ("UPDATE snapshot SET tree_state = '{'", "a work tree's state that is no JSON"),
        ("DELETE FROM path", "a version of no file"),
        ("UPDATE chunk SET path_id = 99 WHERE row = 0", "a chunk of no file"),
        ("DELETE FROM version", "a file of no version"),
        ("UPDATE segment SET first_row = 1", "no vectors of the first rows"),
        ("UPDATE segment SET file = 'rows' || char(0)", "vectors of no rows"),
        ("ALTER TABLE version DROP COLUMN oid", "a table version without oid"),
        ("DROP TABLE symbol", "a table symbol without col"),
    ],
)
def test_what_nobody_wrote_is_told(journal: Path, sql: str, told: str) -> None:
    damaged(journal, sql)
    with closing(Journal(journal)) as opened, opened.view() as view:
        assert told in str(view.fault())


def test_an_error_of_a_damaged_journal_is_told_as_damage(journal: Path) -> None:
    damaged(journal, "UPDATE version SET content_hash = 7")
    with (
        closing(Journal(journal)) as opened,
        pytest.raises(IndexDamaged, match="another type in the table version") as caught,
        opened.view() as view,
    ):
        view.hydrate(1, [0])
    assert "doctor --repair" in caught.value.hint


def test_an_error_of_the_program_stays_what_it_is(journal: Path) -> None:
    with pytest.raises(KeyError, match="mine"), explained(journal):
        raise KeyError("mine")
    with (
        closing(sqlite3.connect(":memory:")) as database,
        pytest.raises(sqlite3.OperationalError, match="no such column"),
        explained(journal),
    ):
        database.execute("SELECT mine")
