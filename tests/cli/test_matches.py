"""``codeintel search --all`` as a person, a script and an agent see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.matches import count_text
from codeintel_rev.cli.program import run
from codeintel_rev.cli.styled import styled_matches
from codeintel_rev.types import SearchHit, SearchResult


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cart.py").write_text(
        "def total(price):\n    return price\n\n\ndef Total(): pass\n"
    )
    (tmp_path / "notes.md").write_text("# Total\n\nThe total\x1b[31m price.\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_lines_are_written_as_grep_writes_them(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "--all", "total"]) == exit_codes.DONE
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "cart.py:1:def total(price):",
        "cart.py:5:def Total(): pass",
        "notes.md:1:# Total",
        "notes.md:3:The total␛[31m price.",
    ]
    assert err.splitlines()[-1] == "codeintel: 4 lines"


def test_a_document_counts_what_it_does_not_list(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["search", "--all", r"\btotal\b", "--regex", "--case-sensitive", "--limit", "1"]
    assert run([*arguments, "--json"]) == exit_codes.DONE
    document = json.loads(capsys.readouterr().out)
    assert document["total"] == 2
    (hit,) = document["hits"]
    wanted = {"uri": "cart.py", "start_line": 1, "end_line": 1, "content": "def total(price):"}
    assert {name: hit[name] for name in wanted} == wanted
    assert (hit["column"], hit["end_column"]) == (5, 9)
    assert isinstance(hit["id"], str)


def test_definitions_are_counted_as_such(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "--all", "--symbol", "total", "--include", "*.py"]) == exit_codes.DONE
    out, err = capsys.readouterr()
    assert out.splitlines() == ["cart.py:1:def total(price):", "cart.py:5:def Total(): pass"]
    assert err.splitlines()[-1] == "codeintel: 2 definitions"


def test_nothing_found_is_no_failure(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "--all", "swordfish"]) == exit_codes.DONE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "codeintel: nothing found"


def test_queries_are_told_where_that_is_set(
    repo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCKDB_LOG_QUERIES", "true")
    assert run(["search", "--all", "total"]) == exit_codes.DONE
    assert " ms: SELECT " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--regex"], exit_codes.USAGE, "--regex goes only with --all"),
        (["--symbol"], exit_codes.USAGE, "--symbol goes only with --all"),
        (["--ignore-case"], exit_codes.USAGE, "goes only with --all"),
        (["--all", "--explain"], exit_codes.USAGE, "--explain is about a ranking"),
        (["--all", "--mode", "dense"], exit_codes.USAGE, "--mode dense is about a ranking"),
        (["--all", "--lang", "klingon"], exit_codes.BAD_INPUT, "klingon"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    repo: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, told: str
) -> None:
    assert run(["search", "total", *options]) == code
    assert told in capsys.readouterr().err


def test_an_expression_that_cannot_be_read_is_bad_input(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "--all", "--regex", "a(", "--json"]) == exit_codes.BAD_INPUT
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "invalid_argument"
    assert error["message"] == "the regular expression cannot be read: missing ): a("


HIT = SearchHit(1, 1.0, repo="shop", uri="a.py", start_line=7, end_line=7, code="x = total")


@pytest.mark.parametrize(
    ("listed", "total", "told"),
    [(0, 0, "nothing found"), (1, 1, "1 line"), (1, 1234, "the first 1 of 1,234 lines")],
)
def test_the_count_says_what_is_left_out(listed: int, total: int, told: str) -> None:
    assert count_text(SearchResult("q", (HIT,) * listed, total=total), "line") == told


def test_a_terminal_gets_a_heading_a_file_and_the_match_in_a_long_line() -> None:
    from dataclasses import replace

    from rich.console import Console

    long = replace(HIT, uri="b.py", code=f"{'x' * 300}total", column=301, end_column=305)
    hits = (replace(HIT, column=5, end_column=9), long)
    console = Console(width=60, color_system=None, force_terminal=False)
    text = styled_matches(SearchResult("total", hits, total=2), {"shop": "/repo"}, console)
    assert text.splitlines() == [
        "a.py",
        "     7  x = total",
        "",
        "b.py",
        f"     7  …{'x' * 30}total",
    ]
    assert styled_matches(SearchResult("q", ()), {}, console) == ""
