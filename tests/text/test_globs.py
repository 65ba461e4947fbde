"""Globs mean what they mean in a .gitignore, and no pattern can stall the matcher."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import PathSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from codeintel_rev.errors import BadGlob
from codeintel_rev.text.globs import MAX_PATTERNS, GlobSet, like_prefilter

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.py", "src", "x_y", "x%y", ".hid", "a b"])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
PIECES = st.sampled_from(["*", "?", "a", "b", ".py", "src", "_", "%", "[ab]", "[!a]", "x_y"])
SEGMENTS = st.one_of(st.just("**"), st.lists(PIECES, min_size=1, max_size=3).map("".join))
PATTERNS = st.builds(
    "{}{}".format,
    st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join),
    st.sampled_from(["", "/"]),
)


def agrees_with_git(pattern: str) -> bool:
    """Whether pathspec follows git: its ``x/**/`` is ``x/**``, its ``[!a]`` takes a slash."""
    quirks = pattern.endswith("**/") or "[!" in pattern
    return not quirks and not re.search(r"\*\*[^/]|[^/]\*\*", pattern)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*.py", ["a.py", "x/y/a.py"], ["a.pyc", "py"]),
        ("src/", ["src/a", "x/src/a/b"], ["src", "srcs/a"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "x/src/a"]),
        ("tests", ["tests", "tests/a", "x/tests/a"], ["mytests/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b/c"], ["b", "x/a/b"]),
        ("**/gen/*.c", ["gen/a.c", "x/gen/a.c"], ["gen/x/a.c"]),
        ("./setup.py", ["setup.py"], ["pkg/setup.py"]),
        ("[[:digit:]]?.txt", ["1a.txt"], ["a1.txt"]),
        (r"\*.md", ["*.md"], ["a.md"]),
        ("a*", ["a\nb"], []),
        ("[!a].py", ["é.py"], ["a.py"]),
    ],
)
def test_a_pattern_means_what_it_means_in_gitignore(
    pattern: str, matching: list[str], other: list[str]
) -> None:
    globs = GlobSet([pattern])
    assert globs.match_many(matching + other) == [True] * len(matching) + [False] * len(other)


def test_excludes_win_and_the_last_match_in_a_list_decides() -> None:
    globs = GlobSet(["src/", "!src/gen/", "src/gen/keep.py"], ["*.md"])
    paths = ["src/a.py", "src/gen/b.py", "src/gen/keep.py", "src/a.md", "docs/x.py"]
    assert globs.match_many(paths) == [True, False, True, False, False]


def test_no_pattern_at_all_lets_everything_through() -> None:
    assert GlobSet().match("any/thing")


@given(st.lists(PATTERNS.filter(agrees_with_git), min_size=1, max_size=3), PATHS)
@settings(max_examples=400, deadline=None)
def test_pathspec_gives_the_same_verdict(patterns: list[str], path: str) -> None:
    expected = PathSpec.from_lines(GitIgnoreSpecPattern, patterns).match_file(path)
    assert GlobSet(patterns).match(path) == expected


@given(
    st.lists(st.tuples(PATTERNS, st.lists(PATHS, min_size=5, max_size=5)), min_size=20, max_size=20)
)
@settings(max_examples=4, deadline=None)
def test_git_itself_gives_the_same_verdict(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[str, list[str]]]
) -> None:
    root = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for pattern, paths in cases:
        (root / ".gitignore").write_text(f"{pattern}\n", encoding="utf-8")
        assert GlobSet([pattern]).match_many(paths) == ignored_by_git(root, paths), pattern


def ignored_by_git(root: Path, paths: list[str]) -> list[bool]:
    """Ask git, for files that need not exist."""
    command = ["git", "-C", str(root), "check-ignore", "--no-index", "-z", "--stdin"]
    listed = subprocess.run(
        command, input="\0".join(paths).encode(), capture_output=True, check=False
    ).stdout.decode()
    return [path in listed.split("\0") for path in paths]


@given(PATTERNS, PATHS)
@settings(max_examples=400, deadline=None)
def test_the_like_prefilter_accepts_at_least_what_matches(pattern: str, path: str) -> None:
    like = like_prefilter(pattern)
    if GlobSet([pattern]).match(path):
        with closing(sqlite3.connect(":memory:")) as database:
            accepted = database.execute("SELECT ? LIKE ? ESCAPE '\\'", (path, like)).fetchone()
        database.close()
        assert accepted == (1,)


@pytest.mark.parametrize(
    ("pattern", "like"),
    [
        ("src/**", "src/%"),
        ("*.py", "%.py%"),
        ("tests", "%tests%"),
        ("src/my_mod.py", r"src/my\_mod.py%"),
        ("100%/", r"%100\%/%"),
        ("a/**/b", "a/%b%"),
        ("a?[bc]/*", "a__/%"),
        ("!src", None),
    ],
)
def test_the_like_prefilter_escapes_and_stays_narrow(pattern: str, like: str | None) -> None:
    assert like_prefilter(pattern) == like


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "  ", "a\0b", "x" * 1001, "/etc/passwd", "~/x", "C:\\x", "../x", "a/../b"),
        *("#x", "a//b", "[a", "[z-a]", "[[:nope:]]", "a\\", "*.{ts,tsx}", "!only"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(BadGlob) as caught:
        GlobSet(exclude=[pattern])
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert caught.value.message.isprintable()


def test_too_many_patterns_are_refused_with_the_limit() -> None:
    with pytest.raises(BadGlob, match=r"101 .* at most 100"):
        GlobSet(["a"] * (MAX_PATTERNS + 1))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a/**/" * 190 + "b", "a/" * 2000 + "c"),
        ("*a" * 490 + "b", "a" * 4000),
        ("**/" + "*a*/" * 240 + "z", "a/" * 2000 + "c"),
        ("[ab]*" * 190 + "c", "ab" * 2000),
        ("[" * 900 + "]", "[" * 4000),
        ("?*" * 490 + "/b", "x" * 4000),
    ],
)
def test_a_hostile_pattern_ends(pattern: str, path: str) -> None:
    assert not GlobSet([pattern]).match(path)
