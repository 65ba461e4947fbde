"""ripgrep narrows a search to some files, and never away from a match."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeintel_rev.io.line_scan import BLANKS
from codeintel_rev.io.ripgrep import can_narrow, files_with, is_installed, program
from codeintel_rev.types import LinePattern

installed = pytest.mark.skipif(not is_installed(), reason="there is no ripgrep on this machine")

LINES = [
    "def total_price(items):  ",
    "caf\u00e9 x \u0660 \u017f",
    '\tthrow new IllegalStateException("no");',
    "na\u00efve - 42",
    "K. \u00bd",
    "",
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]
PARTS = ["total", "_", "x", ".", "caf", "no", r"\d", r"\w", r"\s", r"\.", "[a-k]", "[^a]", " ", "S"]


def regex(text: str, *, ignore_case: bool = False) -> LinePattern:
    return LinePattern(text, regex=True, ignore_case=ignore_case)


def literal(text: str, *, ignore_case: bool = False) -> LinePattern:
    return LinePattern(text, regex=False, ignore_case=ignore_case)


@pytest.mark.parametrize(
    "pattern",
    [
        literal("return $5.00 (net) \\"),
        regex(r"fn \w+_\w+\("),
        regex("throw new (?:Illegal|Runtime)[A-Za-z]+"),
        regex(r"^import .*;"),
        regex(r"x{2,3}[^,]*"),
        regex(""),
    ],
    ids=lambda pattern: pattern.text,
)
def test_plain_patterns_narrow(pattern: LinePattern) -> None:
    assert can_narrow(pattern)


@pytest.mark.parametrize(
    "text",
    [
        "caf\u00e9",
        "end$",
        r"\bword\b",
        r"\W",
        r"\D\S",
        r"\pL",
        r"\x41",
        r"\Qa.b\E",
        r"\<word",
        "(?i)x",
        "(?P<name>x)",
        "[[:alpha:]]",
        r"[^\d]",
        "[a&&b]",
        "[a--b]",
        "x{,5}",
        "a]",
        "[]a]",
    ],
)
def test_what_two_engines_may_read_differently_does_not(text: str) -> None:
    assert not can_narrow(regex(text))


@installed
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    parts=st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(["", "", "*", "+", "?"]))),
    ignore_case=st.booleans(),
)
def test_no_file_with_a_match_is_left_out(
    folder: Path, parts: list[tuple[str, str]], ignore_case: bool
) -> None:
    text = "".join(part + often for part, often in parts)
    pattern = regex(text, ignore_case=ignore_case)
    assert can_narrow(pattern)
    paths = sorted(file.name for file in folder.iterdir())
    found = files_with(folder, paths, pattern, timeout_s=60)
    assert found is not None
    matches = re.compile(text, re.ASCII | (re.IGNORECASE if ignore_case else 0)).search
    for path in paths:
        encoding = path.partition(".")[0]
        lines = (folder / path).read_text(encoding).split("\n")
        if any(matches(line.rstrip(BLANKS)) for line in lines if line.strip(BLANKS)):
            assert path in found, text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of one line each, in every encoding that is read."""
    folder = tmp_path_factory.mktemp("files")
    for encoding in ENCODINGS:
        for number, line in enumerate(LINES):
            (folder / f"{encoding}.{number}").write_text(f"{line}\r\n", encoding, errors="replace")
    return folder


@installed
def test_names_are_files_whatever_they_look_like(tmp_path: Path) -> None:
    names = ["-e", "--help", "a b", "a\nb", "*", "sub/x", "$(id)"]
    (tmp_path / "sub").mkdir()
    for name in names:
        (tmp_path / name).write_text("price\n")
    (tmp_path / ".ignore").write_text("*\n")
    assert files_with(tmp_path, names, literal("price"), 60) == set(names)
    assert files_with(tmp_path, names, literal("--help"), 60) == set()
    assert files_with(tmp_path, [], literal("price"), 60) == set()


@installed
def test_what_cannot_be_told_is_not(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("price\n")
    assert files_with(tmp_path, ["a", "gone"], literal("price"), 60) is None
    assert files_with(tmp_path, ["a"], regex("("), 60) is None
    assert files_with(tmp_path, ["a"], literal("price"), 1e-9) is None
    assert files_with(tmp_path / "gone", ["a"], literal("price"), 60) is None
    assert files_with(tmp_path, ["a"] * 50_000, literal("price"), 60) == {"a"}


@installed
def test_a_program_in_the_repository_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("price\n")
    (tmp_path / "rg").write_text("#!/bin/sh\ntouch ran\n")
    (tmp_path / "rg").chmod(0o755)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    program.cache_clear()
    assert files_with(tmp_path, ["a"], literal("price"), 60) == {"a"}
    assert not (tmp_path / "ran").exists()
