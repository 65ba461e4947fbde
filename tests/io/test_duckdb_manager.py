"""Connections to a catalog: configured, shared by threads, given up in time, clear when broken."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import duckdb
import pytest

from codeintel_rev.cancellation import Cancellation
from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.errors import (
    Busy,
    CodeIntelError,
    DeadlineExceeded,
    IndexDamaged,
    IndexForeign,
    IndexMissing,
    Unavailable,
)
from codeintel_rev.io import duckdb_errors
from codeintel_rev.io.duckdb_manager import IN_MEMORY, DuckDBManager
from tests.io.catalogs import DIM, catalog_row, make_catalog

ROWS = [catalog_row(n, f"src/part_{n % 7}.py", f"def f_{n}():\n    return {n}") for n in range(500)]


@pytest.fixture
def db_path(tmp_path: Path) -> Path:
    return make_catalog(tmp_path / "catalog", ROWS)


@pytest.fixture
def manager(db_path: Path) -> Iterator[DuckDBManager]:
    with DuckDBManager(db_path, DuckDBConfig()) as opened:
        yield opened


def run(
    manager: DuckDBManager, sql: str, timeout_s: float | None = None
) -> list[tuple[object, ...]]:
    with manager.connection(timeout_s=timeout_s) as connection:
        return connection.execute(sql).fetchall()


def count(manager: DuckDBManager) -> object:
    return run(manager, "SELECT count(*) FROM chunks")[0][0]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# --- sharing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool_size", [0, 3])
def test_a_hundred_parallel_queries_say_the_same_and_leave_nothing_open(
    db_path: Path, pool_size: int
) -> None:
    sql = "SELECT uri, sum(id), list(content ORDER BY row) FROM chunks GROUP BY uri ORDER BY uri"
    with DuckDBManager(db_path, DuckDBConfig(pool_size=pool_size)) as manager:

        def ask(_: int) -> list[tuple[object, ...]]:
            with manager.connection() as connection:
                return connection.execute(sql).fetchall()

        first = ask(0)
        before = open_files()
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(ask, range(100)))
        assert all(answer == first for answer in answers)
        assert len(manager._idle) <= pool_size
        assert open_files() <= before
    assert len(first) == 7


def test_managers_of_one_file_do_not_disturb_each_other(db_path: Path) -> None:
    def use(_: int) -> int:
        with DuckDBManager(db_path, DuckDBConfig()) as manager:
            return count(manager)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(use, range(40))) == {500}


def test_threads_that_make_one_file_together_make_one_schema(tmp_path: Path) -> None:
    def make(_: int) -> int:
        with DuckDBManager(tmp_path / "new.duckdb", DuckDBConfig()) as manager:
            return count(manager)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(make, range(16))) == {0}


def test_a_connection_is_closed_with_its_block(manager: DuckDBManager) -> None:
    with manager.connection() as connection:
        connection.execute("SELECT 1")
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")
    with pytest.raises(ZeroDivisionError), manager.connection() as connection:
        raise ZeroDivisionError
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")


def test_a_pooled_connection_is_used_again_unless_its_query_failed(db_path: Path) -> None:
    with DuckDBManager(db_path, DuckDBConfig(pool_size=1)) as manager:
        with manager.connection() as first:
            first.execute("SELECT 1")
        with manager.connection() as second:
            assert second is first
        with pytest.raises(duckdb.ParserException), manager.connection() as failing:
            failing.execute("SELEKT 1")
        with manager.connection() as third:
            assert third is not failing


# --- settings -----------------------------------------------------------------------------------


def test_the_settings_reach_every_connection(db_path: Path) -> None:
    settings = DuckDBConfig(threads=1, memory_limit_mb=200)
    names = ("threads", "memory_limit", "parquet_metadata_cache", "temp_directory")
    with DuckDBManager(db_path, settings) as manager, manager.connection() as connection:
        sql = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
        assert connection.execute(sql).fetchone() == (1, "190.7 MiB", True, "")


def test_queries_are_logged_with_their_time_and_without_their_values(
    db_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with DuckDBManager(db_path, DuckDBConfig(log_queries=True)) as manager:
        with manager.connection() as connection:
            sql = "SELECT count(*)\n  FROM chunks WHERE uri = $uri"
            assert connection.execute(sql, {"uri": "hush"}).fetchone() == (0,)
            assert connection.execute("SELECT 7").fetchall() == [(7,)]
        with pytest.raises(duckdb.ParserException), manager.connection() as connection:
            connection.execute("SELEKT")
    told = [record.getMessage().partition(" ms: ")[2] for record in caplog.records]
    assert told == ["SELECT count(*) FROM chunks WHERE uri = $uri", "SELECT 7", "SELEKT"]
    assert "hush" not in caplog.text


def test_queries_are_not_logged_otherwise(
    manager: DuckDBManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    count(manager)
    assert not caplog.records


# --- schema -------------------------------------------------------------------------------------


@pytest.mark.parametrize("materialize", [False, True])
def test_a_view_and_a_table_show_the_same(tmp_path: Path, materialize: bool) -> None:
    db_path = make_catalog(tmp_path, ROWS, materialize=materialize)
    with DuckDBManager(db_path, DuckDBConfig()) as manager, manager.connection() as connection:
        assert connection.execute(
            "SELECT count(*), sum(row), any_value(typeof(embedding)) FROM chunks"
        ).fetchone() == (500, 124750, f"FLOAT[{DIM}]")
        kind = connection.execute(
            "SELECT table_type FROM information_schema.tables WHERE table_name = 'chunks'"
        ).fetchone()
    assert kind == ("BASE TABLE" if materialize else "VIEW",)


def test_a_manager_makes_what_is_missing_from_the_file_beside_it(db_path: Path) -> None:
    db_path.unlink()
    with DuckDBManager(db_path, DuckDBConfig(materialize=True)) as manager:
        assert count(manager) == 500
    with DuckDBManager(db_path, DuckDBConfig()) as manager:
        assert count(manager) == 500


def test_without_a_file_there_are_no_chunks(tmp_path: Path) -> None:
    for path in (IN_MEMORY, tmp_path / "alone.duckdb"):
        with DuckDBManager(path, DuckDBConfig()) as manager:
            assert count(manager) == 0
    assert not (tmp_path / IN_MEMORY).exists()


def test_an_existing_file_is_not_written_to(manager: DuckDBManager) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        run(manager, "CREATE TABLE t (i INTEGER)")


def test_a_catalog_can_be_moved(db_path: Path, tmp_path: Path) -> None:
    moved = tmp_path / "else where [2]"
    db_path.parent.rename(moved)
    with DuckDBManager(moved / db_path.name, DuckDBConfig()) as manager:
        assert count(manager) == 500


def test_a_folder_with_commas_in_its_name_is_served(db_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a,b, c"
    db_path.parent.rename(folder)
    with DuckDBManager(folder / db_path.name, DuckDBConfig()) as first:
        with DuckDBManager(folder / db_path.name, DuckDBConfig()) as second:
            assert count(second) == 500
        assert count(first) == 500


def test_a_catalog_is_made_in_a_folder_with_commas_in_its_name(tmp_path: Path) -> None:
    path = make_catalog(tmp_path / "a,b", [catalog_row(0), catalog_row(1)])
    with DuckDBManager(path, DuckDBConfig()) as manager:
        assert count(manager) == 2


# --- time and memory ----------------------------------------------------------------------------

ENDLESS = "SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1"


def test_a_query_is_interrupted_at_its_deadline(manager: DuckDBManager) -> None:
    with pytest.raises(DeadlineExceeded, match="interrupted"):
        run(manager, ENDLESS, timeout_s=0.05)
    assert count(manager) == 500


def test_a_deadline_that_passes_between_statements_stops_the_next(manager: DuckDBManager) -> None:
    def ask_for_ever() -> None:
        with manager.connection(timeout_s=0.001) as connection:
            while True:
                connection.execute("SELECT 1").fetchall()

    with pytest.raises(DeadlineExceeded):
        ask_for_ever()


def test_a_query_ends_when_nobody_waits_for_it(manager: DuckDBManager) -> None:
    cancellation = Cancellation()
    begun = Event()

    def ask() -> None:
        begun.set()
        run(manager, ENDLESS, 3600)

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(cancellation.run, ask)
        assert begun.wait(60)
        cancellation.cancel()
        assert isinstance(asked.exception(60), DeadlineExceeded)
    assert count(manager) == 500


def test_a_query_that_nobody_waits_for_does_not_begin(manager: DuckDBManager) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(DeadlineExceeded):
        cancellation.run(lambda: run(manager, ENDLESS, 3600))


def test_ctrl_c_stays_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt), duckdb_errors.explained("x.duckdb"):
        raise RuntimeError("Query interrupted")  # as DuckDB does in a signal handler's place
    with pytest.raises(RuntimeError), duckdb_errors.explained("x.duckdb"):
        raise RuntimeError("something else")


def test_a_pooled_connection_forgets_the_deadline_of_its_last_user(db_path: Path) -> None:
    with DuckDBManager(db_path, DuckDBConfig(pool_size=1)) as manager:
        with manager.connection(timeout_s=60) as connection:
            connection.execute("SELECT 1")
        assert count(manager) == 500


def test_a_query_beyond_its_memory_is_refused_and_nothing_is_spilled(db_path: Path) -> None:
    large = "SELECT count(DISTINCT range || 'x') FROM range(5000000)"
    with (
        DuckDBManager(db_path, DuckDBConfig(memory_limit_mb=20)) as manager,
        pytest.raises(Unavailable, match="memory") as caught,
    ):
        run(manager, large)
    assert "DUCKDB_MEMORY_LIMIT_MB" in caught.value.hint
    assert sorted(path.name for path in db_path.parent.iterdir()) == [
        "catalog.duckdb",
        "chunks.parquet",
    ]


# --- damage -------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    path.write_text("no database\n" * 2000)


def remove(path: Path) -> None:
    path.unlink()


def replace_with_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def read(db_path: Path) -> None:
    with DuckDBManager(db_path, DuckDBConfig(), read_only=True) as manager:
        run(manager, "SELECT max(content), max(row) FROM chunks")


@pytest.mark.parametrize("damage", [truncate, empty, overwrite, remove, replace_with_folder])
@pytest.mark.parametrize("name", ["catalog.duckdb", "chunks.parquet"])
def test_damage_is_told_with_the_way_out(
    db_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(db_path.with_name(name))
    with pytest.raises((IndexDamaged, IndexMissing)) as caught:
        read(db_path)
    assert "codeintel" in caught.value.hint
    assert caught.value.value == str(db_path)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["catalog.duckdb", "chunks.parquet"])
def test_flipped_bits_are_told_or_harmless(db_path: Path, name: str) -> None:
    path = db_path.with_name(name)
    data = path.read_bytes()
    told = 0
    for seed in range(25):
        flipped = bytearray(data)
        dice = random.Random(seed)
        for _ in range(20):
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        path.write_bytes(flipped)
        try:
            read(db_path)
        except CodeIntelError:
            told += 1
    assert told > 0


def test_a_database_of_something_else_is_foreign(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    duckdb.connect(path).close()
    with pytest.raises(IndexForeign, match="holds no chunks"):
        DuckDBManager(path, DuckDBConfig())


def test_a_database_of_another_version_is_foreign(db_path: Path) -> None:
    error = duckdb.IOException(
        "IO Error: Trying to read a database file with version number 9999, but we can only read"
    )
    told = duckdb_errors.meaning(db_path, error)
    assert isinstance(told, IndexForeign)


WRITER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_process_writes_is_busy(db_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(db_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(Busy, match="another process"):
            DuckDBManager(db_path, DuckDBConfig())
        writer.stdin.close()
    with DuckDBManager(db_path, DuckDBConfig()) as manager:
        assert count(manager) == 500


def test_reading_and_writing_one_file_in_one_process_is_refused(manager: DuckDBManager) -> None:
    with pytest.raises(Busy, match="in this process"):
        DuckDBManager(manager.path, manager.settings, read_only=False)


def exceptions(kind: type[duckdb.Error]) -> Iterator[type[duckdb.Error]]:
    yield kind
    for below in kind.__subclasses__():
        yield from exceptions(below)


def test_every_exception_of_the_driver_has_a_meaning_or_blames_the_statement() -> None:
    for kind in exceptions(duckdb.Error):
        blamed = issubclass(kind, duckdb_errors.MISTAKES)
        assert (duckdb_errors.meaning("x.duckdb", kind("Some Error: words")) is None) == blamed, (
            kind
        )
