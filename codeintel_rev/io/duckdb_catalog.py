"""The catalog as a set: chunks by id, by row and by scope, and all lines that match a pattern."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.errors import InvalidArgument
from codeintel_rev.io.duckdb_manager import DuckDBManager
from codeintel_rev.io.duckdb_query_builder import RECORD_COLUMNS, DuckDBQueryBuilder
from codeintel_rev.io.line_scan import check_sql, columns_sql, scan_sql
from codeintel_rev.text.globs import GlobSet
from codeintel_rev.text.kinds import definition_order
from codeintel_rev.text.regex_size import MAX_SIZE, regex_size
from codeintel_rev.types import ChunkHead, ChunkRecord, LineMatches, LinePattern

_WITH_NEWER = (
    f"WITH chunks AS (SELECT {RECORD_COLUMNS} FROM main.chunks"  # noqa: S608  constants
    f" UNION ALL SELECT {RECORD_COLUMNS} FROM newer) "
)
"""Lets a query over ``chunks`` see rows that the catalog does not have yet."""

_DEFINITIONS = """
    SELECT min(row), uri, arg_min(kind, row), symbol FROM chunks
    WHERE lower(string_split(symbol, '.')[-1]) = lower($name) GROUP BY uri, symbol
"""
"""The first chunk of each definition of a name: a long one is cut into several."""


class DuckDBCatalog:
    """One generation's catalog; it holds no connection of its own and is safe to share.

    It shows what stood in the snapshots when it was built; the journal knows what has changed since.
    Errors are those of ``DuckDBManager.connection``.
    """

    def __init__(
        self, db_path: Path | str, settings: DuckDBConfig, *, read_only: bool | None = None
    ) -> None:
        """Open a catalog as ``DuckDBManager`` does."""
        self._manager = DuckDBManager(db_path, settings, read_only=read_only)
        self._builder = DuckDBQueryBuilder()
        self._timeout_s = settings.timeout_ms / 1000

    def close(self) -> None:
        """Close the database."""
        self._manager.close()

    # --- chunks -------------------------------------------------------------------------------

    async def query_by_ids(
        self,
        ids: Sequence[int],
        *,
        include_globs: Sequence[str] | None = None,
        exclude_globs: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        newer: pa.Table | None = None,
    ) -> list[ChunkRecord]:
        """Return the chunks with these ids in the order asked, those that pass the filters.

        ``newer`` has rows to add to the catalog's, with the columns of a ``ChunkRecord``. A chunk that
        stands at other lines in other versions of its file is returned once. The event loop is not
        blocked.

        Raises ``BadGlob`` or ``UnknownLanguage``.
        """
        import asyncio

        sql, params = self._builder.build_filter_query(ids, include_globs, exclude_globs, languages)
        records = await asyncio.to_thread(self._records, sql, params, newer)
        matches = GlobSet(include_globs or (), exclude_globs or ()).match
        found = {record.id: record for record in reversed(records) if matches(record.uri)}
        return [found[id_] for id_ in dict.fromkeys(ids) if id_ in found]

    def hydrate(self, rows: Sequence[int]) -> list[ChunkRecord]:
        """Return the chunks of ``rows`` in the order asked; rows it does not hold are left out."""
        sql = f"SELECT {RECORD_COLUMNS} FROM chunks WHERE row = ANY($rows)"  # noqa: S608
        records = self._records(sql, {"rows": list(rows)}, None)
        found = {record.row: record for record in reversed(records)}
        return [found[row] for row in rows if row in found]

    def heads(self, rows: Sequence[int]) -> dict[int, ChunkHead]:
        """Return what ranking needs of ``rows``, by row; rows it does not hold are left out."""
        columns = ", ".join(ChunkHead.__struct_fields__)
        sql = f"SELECT DISTINCT {columns} FROM chunks WHERE row = ANY($rows)"  # noqa: S608
        with self._connection(self._timeout_s) as connection:
            found = connection.execute(sql, {"rows": list(rows)}).fetchall()
        return {row[0]: ChunkHead(*row) for row in found}

    def definitions(self, name: str, limit: int) -> list[int]:
        """Return rows in which something called ``name`` is defined: exact case, types first.

        The catalog knows the one definition that a chunk is of; those inside it the journal knows.
        """
        found = self._defining(name)
        found.sort(key=lambda one: (not one[3].endswith(name), definition_order(one[2]), one[1]))
        return [row for row, *_ in found[:limit]]

    def of_kinds(self, name: str, kinds: Collection[str], limit: int) -> list[int]:
        """Return rows in which one of ``kinds`` is defined under exactly this name, by their path."""
        found = [one for one in self._defining(name) if one[3].endswith(name) and one[2] in kinds]
        return [row for row, *_ in sorted(found, key=lambda one: one[1])[:limit]]

    def _defining(self, name: str) -> list[tuple[int, str, str, str]]:
        """Return (row, path, kind, symbol) of the definitions of a name in any case."""
        with self._connection(self._timeout_s) as connection:
            return connection.execute(_DEFINITIONS, {"name": name}).fetchall()

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Every row that the catalog holds, ascending."""
        with self._manager.connection(timeout_s=self._timeout_s) as connection:
            found = connection.execute("SELECT DISTINCT row FROM chunks ORDER BY row").fetchnumpy()
        return np.asarray(found["row"], dtype=np.int64)

    # --- lines --------------------------------------------------------------------------------

    def check(self, pattern: LinePattern) -> None:
        """Raise ``InvalidArgument`` for a regular expression that RE2 cannot read, or that is too large."""
        with self._manager.connection() as connection:
            try:
                connection.execute(*check_sql(pattern))
            except duckdb.InvalidInputException as error:
                why = str(error).partition("Error: ")[2]
                raise InvalidArgument(
                    f"the regular expression cannot be read: {why}",
                    hint="it is written in RE2 syntax, without look-around and back references",
                    value=pattern.text[:200],
                ) from error
        if pattern.regex and regex_size(pattern.text) > MAX_SIZE:
            raise InvalidArgument(
                f"the regular expression stands for more than {MAX_SIZE:,} characters",
                hint="repeat less often; `.*` takes no longer than `.`, but `.{500}` 500 times as long",
                value=pattern.text[:200],
            )

    def scan(
        self,
        pattern: LinePattern,
        *,
        include_globs: Sequence[str] | None = None,
        exclude_globs: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        timeout_s: float | None = None,
    ) -> LineMatches:
        """Return all lines that match, in the files that may be in scope, in no order.

        A line is named once for each place of its chunk. Raises ``DeadlineExceeded`` after
        ``timeout_s``.
        """
        source, scope = self._builder.build_filter_query(
            None, include_globs, exclude_globs, languages, columns="row, content"
        )
        sql, params = scan_sql(pattern, source)
        return self._matches(sql, params | scope, None, timeout_s)

    def scan_table(
        self, pattern: LinePattern, newer: pa.Table, *, timeout_s: float | None = None
    ) -> LineMatches:
        """Return all lines that match in a table with the columns ``row`` and ``content``."""
        sql, params = scan_sql(pattern, "SELECT row, content FROM newer")
        return self._matches(sql, params, newer, timeout_s)

    def columns(self, pattern: LinePattern, lines: Iterable[str]) -> list[tuple[int, int]]:
        """Return the first and last column of the first match in each line; all lines match."""
        table = pa.table({"line": pa.array(lines, pa.string())})
        table = table.append_column("number", pa.array(range(table.num_rows), pa.int64()))
        with self._connection(self._timeout_s, lines=table) as connection:
            return connection.execute(*columns_sql(pattern)).fetchall()

    # --- running ------------------------------------------------------------------------------

    def _records(
        self, sql: str, params: dict[str, Any], newer: pa.Table | None
    ) -> list[ChunkRecord]:
        query = f"{'' if newer is None else _WITH_NEWER}{sql} ORDER BY uri, start_line"
        with self._connection(self._timeout_s, newer=newer) as connection:
            return [ChunkRecord(*row) for row in connection.execute(query, params).fetchall()]

    def _matches(
        self, sql: str, params: dict[str, Any], newer: pa.Table | None, timeout_s: float | None
    ) -> LineMatches:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        with self._connection(limit_s, newer=newer) as connection:
            found = connection.execute(sql, params).fetchnumpy()
        return LineMatches(
            rows=np.asarray(found["row"], dtype=np.int64),
            offsets=np.asarray(found["number"], dtype=np.int64),
            digests=np.asarray(found["digest"], dtype=np.uint64),
        )

    @contextmanager
    def _connection(
        self, timeout_s: float, **tables: pa.Table | None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection that sees ``tables`` under their names for a block."""
        given = {name: table for name, table in tables.items() if table is not None}
        with self._manager.connection(timeout_s=timeout_s) as connection:
            for name, table in given.items():
                connection.register(name, table)
            yield connection
            for name in given:
                connection.unregister(name)
