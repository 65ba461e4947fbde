"""The plan's tests of the DuckDB manager and of its query builder."""

from pathlib import Path

import pytest

from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.io.duckdb_manager import DuckDBManager, DuckDBQueryBuilder

settings = DuckDBConfig(threads=3)
builder = DuckDBQueryBuilder()


@pytest.fixture
def db_path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.duckdb"


def test_duckdb_manager_connection(db_path):
    manager = DuckDBManager(db_path, settings)

    with manager.connection() as conn:
        result = conn.execute("SELECT 1").fetchone()
        assert result == (1,)

    # Connection closed after context exit


def test_duckdb_manager_pragmas(db_path):
    manager = DuckDBManager(db_path, settings)

    with manager.connection() as conn:
        # Check object cache enabled
        result = conn.execute("PRAGMA enable_object_cache").fetchone()
        # Check threads set
        result = conn.execute("SELECT current_setting('threads')").fetchone()
        assert int(result[0]) == settings.threads


def test_query_builder_basic():
    builder = DuckDBQueryBuilder()
    sql, params = builder.build_filter_query(chunk_ids=[1, 2, 3])

    assert "id = ANY($ids)" in sql
    assert params["ids"] == [1, 2, 3]


def test_query_builder_with_filters():
    sql, params = builder.build_filter_query(
        chunk_ids=[1], include_globs=["src/**"], languages=["py", "ts"]
    )

    assert "uri LIKE $include_0" in sql
    assert params["include_0"] == "src/%"
    assert "lang = ANY($languages)" in sql
