"""Flags that say how the program speaks, and streams that refuse or go away."""

from __future__ import annotations

import subprocess
import sys

import pytest

from codeintel_rev.cli.output import Output, take_output_flags


@pytest.mark.parametrize(
    ("arguments", "rest", "output"),
    [
        (["search", "x"], ["search", "x"], Output()),
        (["--json", "search", "x"], ["search", "x"], Output(json=True)),
        (["search", "x", "--json", "--debug"], ["search", "x"], Output(json=True, debug=True)),
        (["search", "--", "--json"], ["search", "--", "--json"], Output()),
    ],
)
def test_flags_stand_anywhere_before_a_double_dash(
    arguments: list[str], rest: list[str], output: Output
) -> None:
    assert take_output_flags(arguments) == (rest, output)


def test_foreign_text_is_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    Output().text("a\x1b[31m")
    Output().note("two\nlines")
    captured = capsys.readouterr()
    assert captured.out == "a␛[31m\n"
    assert captured.err == "codeintel: two␊lines\n"


def test_half_a_surrogate_pair_still_makes_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).document({"uri": "caf\udce9.py"})
    assert capsys.readouterr().out == '{"uri": "caf\\udce9.py"}\n'


def run(code: str, *, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-X", "utf8=0", "-c", code]
    env = {"PYTHONIOENCODING": encoding}
    return subprocess.run(command, env=env, capture_output=True, check=False)


def test_characters_that_the_terminal_lacks_are_written_as_escapes() -> None:
    code = "from codeintel_rev.cli.output import Output; Output().text('caf\\u00e9')"
    done = run(code, encoding="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"caf\\xe9\n", b"")


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = (
        "import os, sys\n"
        "from codeintel_rev.cli.output import Output\n"
        "reader, writer = os.pipe()\n"
        "os.dup2(writer, 1); os.close(writer); os.close(reader)\n"
        "Output().text('x' * 100_000); Output().text('y')\n"
    )
    done = run(code)
    assert (done.returncode, done.stderr) == (0, b"")
