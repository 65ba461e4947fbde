"""What a person or a script meets before any index is opened."""

from __future__ import annotations

import inspect
import json
import logging
import re
from pathlib import Path

import pytest

from codeintel_rev import __version__, errors
from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import COMMANDS, run
from codeintel_rev.errors import CodeIntelError

Capture = pytest.CaptureFixture[str]


def test_help_lists_every_command(capsys: Capture) -> None:
    assert run(["--help"]) == exit_codes.DONE
    listed = capsys.readouterr().out
    assert all(f"\n  {command} " in listed for command in COMMANDS)


def test_without_arguments_the_help_is_shown(capsys: Capture) -> None:
    assert run([]) == exit_codes.DONE
    assert capsys.readouterr().out.startswith("Usage: codeintel")
    assert run(["--json"]) == exit_codes.USAGE
    assert "no command" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: Capture) -> None:
    assert run([command, "--help"]) == exit_codes.DONE
    assert capsys.readouterr().out.startswith(f"Usage: codeintel {command}")


def test_the_version_is_told(capsys: Capture) -> None:
    assert run(["--version"]) == exit_codes.DONE
    assert run(["--version", "--json"]) == exit_codes.DONE
    plain, document = capsys.readouterr().out.splitlines()
    assert plain == f"codeintel {__version__}"
    assert json.loads(document) == {"version": __version__}


@pytest.mark.parametrize(
    "arguments",
    [
        ["serch", "x"],
        ["search"],
        ["search", "two", "words"],
        ["search", "x", "--limit", "0"],
        ["search", "x", "--limit", "many"],
        ["search", "x", "--mode", "psychic"],
        ["search", "x", "--no-such-flag"],
        ["traces", "--searches", "--low-confidence"],
        ["doctor", "--vllm", "http://127.0.0.1:1", "--repair"],
    ],
)
def test_a_command_line_that_cannot_be_read_ends_with_2(
    arguments: list[str], capsys: Capture
) -> None:
    assert run(arguments) == exit_codes.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("codeintel: ")
    assert captured.err.count("\n") == 1
    assert run([*arguments, "--json"]) == exit_codes.USAGE
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == "invalid_argument"
    assert captured.err == ""


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["serch", "x"], "did you mean search?"),
        (["where is it?"], 'to search, write `codeintel search "where is it?"`'),
        (["xyzzy"], "commands are: index, search"),
        (["search", "two", "words"], "in quotes"),
        (["search", "-foo"], 'behind --: `codeintel search -- "-foo"`'),
        (["search", "--limit", "3", "-foo"], '`codeintel search -- "-foo"`'),
        (["search", "x", "--limt", "3"], "did you mean --limit?"),
        (["index", "--no-such-flag"], "see codeintel index --help"),
        (["search", "x", "--repo-name"], "see codeintel search --help"),
        (["index", "--repo", "."], "`codeintel index PATH`"),
        (["completion"], "that is `codeintel --install-completion`"),
        (["status", "x"], "one word too many: x"),
        (["search", "x", "--limit", "abc"], "'abc' is not a whole number"),
        (["search", "x", "--limit=3", "--limit", "4"], "--limit is given more than once"),
        (["search", "x", "--repo", "a", "--repo", "b"], "`codeintel index PATH PATH --data-dir"),
    ],
)
def test_a_mistyped_command_line_is_told_how_it_was_meant(
    arguments: list[str], hint: str, capsys: Capture
) -> None:
    assert run(arguments) == exit_codes.USAGE
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["search", "--help"]])
def test_help_is_one_document_too(words: list[str], capsys: Capture) -> None:
    assert run([*words, "--json"]) == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["help"].startswith("Usage: codeintel")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["search", ""], "invalid_argument"),
        (["search", " \t"], "invalid_argument"),
        (["search", "a\x1bb"], "invalid_argument"),
        (["search", "x" * 40_000], "query_too_long"),
        (["ask", "x" * 501], "query_too_long"),
        (["search", "x", "--lang", "klingon"], "unknown_language"),
        (["search", "x", "--include", "../secret"], "bad_glob"),
        (["ask", "x", "--exclude", ""], "bad_glob"),
    ],
)
def test_bad_input_ends_with_3_before_anything_is_indexed(
    arguments: list[str],
    code: str,
    capsys: Capture,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert run([*arguments, "--json"]) == exit_codes.BAD_INPUT
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code


def test_bad_settings_end_with_3_and_name_all(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_LIMIT", "none")
    monkeypatch.setenv("INDEX_WORKERS", "all")
    assert run(["search", "x"]) == exit_codes.BAD_INPUT
    told = capsys.readouterr().err
    assert "SEARCH_LIMIT" in told
    assert "INDEX_WORKERS" in told


def test_a_traceback_is_shown_only_on_demand(capsys: Capture) -> None:
    run(["search", ""])
    assert "Traceback" not in capsys.readouterr().err
    run(["search", "", "--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_every_error_has_an_exit_code_of_its_kind() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    codes = {kind: exit_codes.exit_code_of(kind("")) for kind in kinds}
    assert codes.pop(CodeIntelError) == exit_codes.INTERNAL
    assert set(codes.values()) == {
        exit_codes.BAD_INPUT,
        exit_codes.INDEX,
        exit_codes.BUSY,
        exit_codes.SERVICE,
    }


def test_the_page_lists_every_exit_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert listed == {value for value in vars(exit_codes).values() if isinstance(value, int)}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_pages_list_every_option(command: str, capsys: Capture) -> None:
    docs = Path(__file__).parents[2] / "docs"
    pages = [(docs / name).read_text("utf-8") for name in ("cli.md", "traces.md", "evaluation.md")]
    run([command, "--help"])
    options = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert options - {"--help"} <= set(re.findall(r"`(--[a-z-]+)", " ".join(pages)))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_help_page_shows_usual_signs_and_the_flags_of_every_command(
    command: str, capsys: Capture
) -> None:
    run([command, "--help"])
    page = capsys.readouterr().out
    assert not re.search(r"[{}]|<[a-z ]+>", page)
    assert "--json" in page
    assert "--debug" in page


def test_what_parts_of_the_program_log_is_a_note(capsys: Capture) -> None:
    assert run(["--version"]) == exit_codes.DONE
    assert logging.lastResort is not None
    record = logging.LogRecord("codeintel_rev.x", logging.WARNING, "", 1, "a\x1b%s", ("b",), None)
    logging.lastResort.handle(record)
    assert capsys.readouterr().err == "codeintel: a␛b\n"
