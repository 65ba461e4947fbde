"""Evaluation code stays out of the training data, however it is disguised."""

import pytest

from training.exclusions import RUN_LENGTH, ExcludedNames, ExcludedSnippets

SNIPPET = '''def paste(selection):
    """Return what the clipboard holds."""
''' + "\n".join(f"    step_{n} = call_{n}(selection, {n})" for n in range(30))


@pytest.fixture(scope="module")
def names() -> ExcludedNames:
    return ExcludedNames(["psf/requests", "spf13/cobra", "rails/rails", "colinhacks/zod"])


@pytest.mark.parametrize(
    "path",
    [
        "requests/api.py",
        "x/pip/_vendor/requests/sessions.py",
        "golang-github-foo-dev/src/github.com/spf13/cobra/command.go",
        "golang-cobra-dev",
        "ruby-activesupport",
        "node_modules/zod/index.ts",
        "third_party/Requests-2.31/models.py",
        "vendor/zod.js",
    ],
)
def test_excluded_packages_and_their_copies_are_covered(names: ExcludedNames, path: str) -> None:
    assert names.covers(path)


@pytest.mark.parametrize("path", ["urllib3/request.py", "src/cobras/a.go", "railway/train.rb"])
def test_other_paths_are_not_covered(names: ExcludedNames, path: str) -> None:
    assert not names.covers(path)


@pytest.fixture(scope="module")
def snippets() -> ExcludedSnippets:
    return ExcludedSnippets([SNIPPET])


def test_the_same_function_in_another_layout_is_covered(snippets: ExcludedSnippets) -> None:
    assert snippets.cover(SNIPPET.upper().replace("    ", "\t"))


def test_the_same_docstring_is_covered(snippets: ExcludedSnippets) -> None:
    assert snippets.cover("def other(): pass", "Return what the\n  clipboard holds")


def test_a_long_shared_run_is_covered_and_a_short_one_is_not(snippets: ExcludedSnippets) -> None:
    words = SNIPPET.replace("(", " ").replace(")", " ").replace(",", " ").split()[10:]
    assert snippets.cover("before " + " ".join(words[: RUN_LENGTH + 15]) + " after")
    assert not snippets.cover("before " + " ".join(words[: RUN_LENGTH - 10]) + " after")


def test_nothing_is_covered_without_snippets() -> None:
    assert not ExcludedSnippets([]).cover(SNIPPET, "Return what the clipboard holds.")
