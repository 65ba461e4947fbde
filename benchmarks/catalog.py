"""Times what DuckDB offers for the catalog, and exhaustive search beside grep.

    python benchmarks/catalog.py FOLDER [--rounds 15]

Indexes FOLDER into a temporary data directory, compacts it, and measures, in milliseconds: settings
that cache (``caches``), a view of the Parquet file against a table (``storage``), ways to get a
connection (``connections``), hydration beside the journal's (``hydration``), and ``search --all``
with and without a catalog beside grep (``exhaustive``). ``cpu`` counts all threads and is what to
compare on a busy machine. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
from machine import machine

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.io.catalog_builder import DATABASE_FILE, build_catalog
from codeintel_rev.io.duckdb_catalog import DuckDBCatalog
from codeintel_rev.io.duckdb_manager import DuckDBManager
from codeintel_rev.types import LinePattern

Figures = dict[str, Any]

COUNT = "SELECT count(*) FROM chunks WHERE lang = 'python' AND uri LIKE '%test%'"
HYDRATED = 20
"""Chunks of one hydration, as a search of ten hits needs with some to spare."""

CACHES: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "PRAGMA enable_object_cache": ("PRAGMA enable_object_cache",),
    "parquet_metadata_cache": ("SET GLOBAL parquet_metadata_cache = true",),
    "external file cache off": ("SET GLOBAL enable_external_file_cache = false",),
    "external file cache for local files": (
        "SET GLOBAL enable_external_file_cache = true",
        "SET GLOBAL cache_local_files = true",
    ),
    "both caches": (
        "SET GLOBAL parquet_metadata_cache = true",
        "SET GLOBAL cache_local_files = true",
    ),
}

QUERIES: Mapping[str, tuple[str, dict[str, bool], list[str]]] = {
    "rare text": ("quantity_support", {"case_sensitive": True}, ["-F"]),
    "frequent text": ("return", {"case_sensitive": True}, ["-F"]),
    "text, any case": ("error", {"case_sensitive": False}, ["-Fi"]),
    "expression": (r"\bself\.\w+_unit\b", {"regex": True, "case_sensitive": True}, ["-P"]),
    "expression, end of line": (r"import \w+$", {"regex": True, "case_sensitive": True}, ["-P"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        index_repositories([options.folder], data_dir=data)
        journal_alone = exhaustive(data, options.rounds)
        compact_data_dir(data, progress=quiet)
        folder = next(data.glob("repos/*/catalog/*"))
        figures = {
            "chunks": rows(folder),
            "caches": caches(folder, options.rounds),
            "storage": storage(folder, Path(scratch) / "table", options.rounds),
            "connections": connections(folder),
            "hydration": hydration(data, folder, options.rounds),
            "exhaustive": {
                "journal alone": journal_alone,
                "catalog": exhaustive(data, options.rounds),
                "grep": grep(options.folder, options.rounds),
            },
        }
    print(
        json.dumps({"machine": about, "folder": options.folder.name, "figures": figures}, indent=2)
    )


def timed(rounds: int, call: Callable[[], object]) -> Figures:
    """Return the first and the median time of a call, in milliseconds."""
    walls, cpus = [], []
    for _ in range(rounds + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return {
        "first": round(walls[0], 2),
        "wall": round(statistics.median(walls[1:]), 2),
        "cpu": round(statistics.median(cpus[1:]), 2),
    }


@contextmanager
def opened(folder: Path, *statements: str) -> Iterator[DuckDBManager]:
    """Open a catalog without caches, then with what ``statements`` say."""
    settings = DuckDBConfig(object_cache=False)
    with DuckDBManager(folder / DATABASE_FILE, settings, read_only=True) as manager:
        with manager.connection() as connection:
            for statement in statements:
                connection.execute(statement).fetchall()
        yield manager


def ask(manager: DuckDBManager, sql: str) -> Callable[[], object]:
    def run() -> object:
        with manager.connection() as connection:
            return connection.execute(sql).fetchall()

    return run


def rows(folder: Path) -> int:
    with opened(folder) as manager:
        return int(ask(manager, "SELECT count(DISTINCT row) FROM chunks")()[0][0])  # type: ignore[index]


# --- settings that cache ------------------------------------------------------------------------


def caches(folder: Path, rounds: int) -> Figures:
    found = {}
    for name, statements in CACHES.items():
        with opened(folder, *statements) as manager:
            found[name] = {
                "count in a scope": timed(rounds, ask(manager, COUNT)),
                "one chunk": timed(rounds, ask(manager, "SELECT * FROM chunks WHERE row = 7")),
                "all text": timed(rounds, ask(manager, "SELECT sum(length(content)) FROM chunks")),
            }
    return found


# --- view and table -----------------------------------------------------------------------------


def storage(folder: Path, table: Path, rounds: int) -> Figures:
    table.mkdir()
    shutil.copy(folder / "chunks.parquet", table)
    started = time.perf_counter()
    build_catalog(table, materialize=True)
    took_s = time.perf_counter() - started
    found: Figures = {"copying the rows, s": round(took_s, 2)}
    for name, place in (("view", folder), ("table", table)):
        catalog = DuckDBCatalog(place / DATABASE_FILE, DuckDBConfig(), read_only=True)
        picked = sample(catalog.rows.tolist())
        with opened(place, "SET GLOBAL parquet_metadata_cache = true") as manager:
            found[name] = {
                "MiB": round(sum(p.stat().st_size for p in place.glob("c*.*")) / 2**20, 1),
                "count in a scope": timed(rounds, ask(manager, COUNT)),
                f"{HYDRATED} chunks": timed(rounds, lambda c=catalog, r=picked: c.hydrate(r)),
                "rare text": timed(rounds, scan(catalog, LinePattern("quantity_support"))),
                "expression": timed(
                    rounds, scan(catalog, LinePattern(r"\bself\.\w+_unit\b", regex=True))
                ),
            }
        catalog.close()
    return found


def scan(catalog: DuckDBCatalog, pattern: LinePattern) -> Callable[[], object]:
    return lambda: catalog.scan(pattern)


def sample(numbers: list[int]) -> list[int]:
    return random.Random(1).sample(numbers, min(HYDRATED, len(numbers)))


# --- connections --------------------------------------------------------------------------------


def connections(folder: Path) -> Figures:
    path = folder / DATABASE_FILE
    found: Figures = {}
    for name, pool_size in (("a cursor each", 0), ("a pool", 4)):
        settings = replace(DuckDBConfig(), pool_size=pool_size)
        with DuckDBManager(path, settings, read_only=True) as manager:
            found[name] = timed(300, ask(manager, "SELECT 1"))
    found["a database opened each"] = timed(30, lambda: open_and_ask(path))
    return found


def open_and_ask(path: Path) -> None:
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("SELECT 1").fetchall()


# --- hydration ----------------------------------------------------------------------------------


def hydration(data: Path, folder: Path, rounds: int) -> Figures:
    catalog = DuckDBCatalog(folder / DATABASE_FILE, DuckDBConfig(), read_only=True)
    picked = sample(catalog.rows.tolist())
    found = {"catalog": timed(rounds, lambda: catalog.hydrate(picked))}
    catalog.close()
    with open_index(data_dir=data, refresh=False) as index:
        (repository,) = index.selected(None)
        with repository.view() as view:
            assert view is not None
            found["journal"] = timed(rounds, lambda: view.catalog.hydrate(picked))
    return found


# --- exhaustive search --------------------------------------------------------------------------


def exhaustive(data: Path, rounds: int) -> Figures:
    found: Figures = {}
    with open_index(data_dir=data, refresh=False) as index:
        for name, (query, options, _flags) in QUERIES.items():
            total = index.search_all(query, limit=10, **options).total
            times = timed(rounds, lambda q=query, o=options: index.search_all(q, limit=10, **o))
            found[name] = {"lines": total, **times}
    return found


def grep(folder: Path, rounds: int) -> Figures:
    """Time grep over all files, and ripgrep where there is one; neither knows what is skipped."""
    tools = {"grep": ["grep", "-rIc"]}
    if shutil.which("rg"):
        tools["rg"] = ["rg", "-c"]
    found: Figures = {}
    for tool, command in tools.items():
        for name, (query, _, flags) in QUERIES.items():
            words = [*command, *flags, "-e", query, "."]
            found[f"{tool}: {name}"] = {"wall": median_wall(min(rounds, 5), words, folder)}
    return found


def median_wall(rounds: int, command: list[str], folder: Path) -> float:
    walls = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
        walls.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(walls), 1)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
