"""How paths, first lines and aliases lead to one name a language."""

from __future__ import annotations

import pytest

from codeintel_rev.errors import UnknownLanguage
from codeintel_rev.text.languages import LANGUAGES, NAMES, canonical_language, language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/app.py", "python"),
        ("types.pyi", "python"),
        ("SETUP.PY", "python"),
        ("a/b.test.tsx", "tsx"),
        ("index.d.ts", "typescript"),
        ("component.jsx", "javascript"),
        ("main.go", "go"),
        ("Main.java", "java"),
        ("lib.rs", "rust"),
        ("a.c", "c"),
        ("a.h", "c"),
        ("a.hpp", "cpp"),
        ("a.C++", "cpp"),
        ("Program.cs", "csharp"),
        ("build.gradle.kts", "kotlin"),
        ("README.md", "markdown"),
        ("docs/index.rst", "restructuredtext"),
        ("Makefile", "make"),
        ("Makefile.am", "make"),
        ("deploy/Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("CMakeLists.txt", "cmake"),
        ("notes.txt", "text"),
        ("pyproject.toml", "toml"),
        (".github/workflows/ci.yml", "yaml"),
        (".gitignore", "ignore"),
        (".bashrc", "bash"),
        ("Gemfile", "ruby"),
        ("LICENSE", "text"),
        ("strange.unheardof", "text"),
        ("no_suffix", "text"),
        ("folder.py/file", "text"),
        ("", "text"),
    ],
)
def test_a_path_tells_the_language(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b"#!/usr/bin/env python3\nprint()", "python"),
        (b"#!/usr/bin/python3.11 -O\n", "python"),
        (b"#! /bin/sh\n", "bash"),
        (b"#!/usr/bin/env -S FOO=1 node --flag\n", "javascript"),
        (b"#!/usr/bin/env\n", "text"),
        (b"#!\n", "text"),
        (b"plain words", "text"),
    ],
)
def test_a_script_without_suffix_names_its_interpreter(head: bytes, language: str) -> None:
    assert language_of("bin/tool", head) == language


def test_a_suffix_wins_over_an_interpreter() -> None:
    assert language_of("tool.rb", b"#!/bin/sh\n") == "ruby"


def test_a_header_is_cpp_when_its_content_says_so() -> None:
    assert language_of("a.h", b"#pragma once\nnamespace x {\nclass Y;\n}") == "cpp"
    assert language_of("a.h", b"#pragma once\nstruct x { int y; };") == "c"


@pytest.mark.parametrize(
    ("alias", "language"),
    [
        ("py", "python"),
        ("Python", "python"),
        (" ts ", "typescript"),
        ("golang", "go"),
        ("c++", "cpp"),
        ("C#", "csharp"),
        ("js", "javascript"),
        ("rs", "rust"),
        ("md", "markdown"),
        ("yml", "yaml"),
    ],
)
def test_an_alias_has_one_canonical_name(alias: str, language: str) -> None:
    assert canonical_language(alias) == language


@pytest.mark.parametrize("name", ["klingon", "", "py thon"])
def test_an_unknown_language_is_an_error_that_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownLanguage, match="unknown language") as caught:
        canonical_language(name)
    assert caught.value.value == name
    assert all(known in caught.value.hint for known in ("python", "rust", "yaml"))


def test_every_canonical_name_leads_to_itself() -> None:
    assert [canonical_language(name) for name in NAMES] == list(NAMES)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("column", ["suffixes", "aliases", "filenames", "interpreters"])
def test_no_two_languages_claim_the_same_word(column: str) -> None:
    words = [word for language in LANGUAGES for word in getattr(language, column).split()]
    assert sorted(words) == sorted(set(words))
    assert words == [word.lower() for word in words]


def test_a_misspelt_language_is_told_its_nearest_name() -> None:
    with pytest.raises(UnknownLanguage) as caught:
        canonical_language(" Pyhton")
    assert caught.value.hint.startswith("did you mean python? known languages: ")
