"""What is loaded, and when: importing is free of drivers, a search loads only what it needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import codeintel_rev

DRIVERS = {"numpy", "tantivy", "faiss", "tree_sitter", "typer", "rich", "msgspec", "sqlite3"}


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after ``code``."""
    script = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_no_driver() -> None:
    assert not modules_after("import codeintel_rev; codeintel_rev.open") & (DRIVERS | SERVER)


def test_finding_the_command_loads_no_driver_but_its_own() -> None:
    loaded = modules_after("from codeintel_rev.cli.program import run; run(['--version'])")
    assert not loaded & (DRIVERS - {"typer", "msgspec"})


def test_the_version_is_the_one_that_is_packaged() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    assert codeintel_rev.__version__ == project["project"]["version"]


def test_a_shell_completes_what_is_exported() -> None:
    assert dir(codeintel_rev) == sorted(codeintel_rev.__all__)


def test_exported_names_are_what_they_say() -> None:
    exported = set(codeintel_rev.__all__) - {"LocalIndex"}
    assert all(getattr(codeintel_rev, name) is not None for name in exported)
    assert not hasattr(codeintel_rev, "no_such_name")


SERVER = {
    "fastapi",
    "fastmcp",
    "mcp",
    "pydantic",
    "redis",
    "starlette",
    "uvicorn",
    "httpx",
    "httpx2",
}
FORBIDDEN = SERVER | {"asyncio", "duckdb", "pyarrow", "rich", "tree_sitter"}


def test_a_search_on_a_ready_index_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "router.py").write_text("def match_url(url):\n    return url\n")
    search = (
        f"import os; os.chdir({str(tmp_path)!r})\n"
        "from codeintel_rev.cli.program import run\n"
        "assert run(['search', 'match a url']) == 0"
    )
    modules_after(search)
    loaded = modules_after(search)
    assert loaded & (FORBIDDEN | {"faiss"}) == set()
    assert {"numpy", "tantivy", "sqlite3"} <= loaded


def test_an_answer_keeps_its_trace_without_loading_a_table_library(tmp_path: Path) -> None:
    (tmp_path / "router.py").write_text("def match_url(url):\n    return url\n")
    ask = (
        f"import os; os.chdir({str(tmp_path)!r})\n"
        "from codeintel_rev.cli.program import run\n"
        "assert run(['ask', 'how is a url matched?']) == 0"
    )
    modules_after(ask)
    assert not modules_after(ask) & (FORBIDDEN - {"asyncio"})
    journal = tmp_path / ".codeintel" / "traces" / "journal.jsonl"
    assert journal.read_bytes().count(b"\n") == 2


def test_tools_are_told_before_what_they_need_is_loaded() -> None:
    loaded = modules_after("import codeintel_rev.app.stdio")
    assert "fastmcp" in loaded
    assert not loaded & {"duckdb", "fastapi", "numpy", "prometheus_client", "tantivy"}
