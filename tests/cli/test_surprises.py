from __future__ import annotations

import errno
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run
from codeintel_rev.cli.surprises import explained

LONG = "a" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["traces", "--data-dir", LONG],
        ["eval", LONG, "--repos", "."],
        ["backup", f"{LONG}.tar"],
        ["status", "--data-dir", LONG],
    ],
)
def test_a_path_that_cannot_be_is_bad_input(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--data-dir", str(tmp_path)] if "--data-dir" not in arguments else []
    assert run([*arguments, *home]) in (exit_codes.BAD_INPUT, exit_codes.INDEX)
    told = capsys.readouterr().err
    assert "Error:" not in told


def test_memory_that_is_not_there_is_no_fault_of_the_program() -> None:
    told, code = explained(MemoryError())
    assert (told.message, code) == ("there is no more memory", exit_codes.SERVICE)


def test_what_nobody_foresaw_is() -> None:
    for error in (ValueError("odd"), OSError(errno.EIO, "Input/output error", "/a")):
        told, code = explained(error)
        assert code == exit_codes.INTERNAL
        assert type(error).__name__ in told.message
        assert told.__cause__ is error
