import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.answer.definitions import (
    definition_of,
    definitions_in,
    file_doc,
    names_defined_in,
    opening_of,
    prose_of,
)

PYTHON = '''\
LIMIT = 3


@cached
# How many.
def count(
    items: list,
) -> int:
    """Return how many there are. Twice.

    More.
    """
    if items:
        return len(items)

    return 0


class Box:
    def open(self): ...
'''
GO = """\
// Match reports whether the path
// leads here. It is cheap.
func (r *Route) Match(path string) bool {
\tfor _, p := range r.parts {
\t\tuse(p)
\t}
\treturn true
}

type Route struct {
\tparts []string
}
"""
TYPESCRIPT = """\
/**
 * Turns a path into a pattern.
 * @param path what to turn
 */
export const compile = (path: string): RegExp => {
  return new RegExp(path);
};

class Router {
  match(url: string) {
    return compile(url).exec(url);
  }
}
"""
RUST = """\
/// Parses a header, e.g. a date. Never panics.
#[inline]
pub(crate) fn parse<T>(text: &str) -> Option<T> {
    None
}
"""
C = """\
#define MAX_SIZE 10

/* Frees the list. */
static void list_free(struct list *l)
{
    free(l);
}
"""
JAVA = """\
    @Override
    public String toString() {
        return format("x");
    }
"""


@pytest.mark.parametrize(
    ("code", "symbol", "lines", "doc"),
    [
        (PYTHON, "count", (4, 16), "Return how many there are."),
        (PYTHON, "Box", (19, 20), ""),
        (PYTHON, "LIMIT", (1, 1), ""),
        (GO, "Route.Match", (1, 8), "Match reports whether the path leads here."),
        (GO, "Route", (10, 12), ""),
        (TYPESCRIPT, "compile", (1, 7), "Turns a path into a pattern."),
        (TYPESCRIPT, "Router.match", (10, 12), ""),
        (RUST, "parse", (1, 5), "Parses a header, e.g. a date."),
        (C, "list_free", (3, 7), "Frees the list."),
        (C, "MAX_SIZE", (1, 1), ""),
        (JAVA, "Box.toString", (1, 4), ""),
    ],
)
def test_a_definition_is_found_with_its_lines_and_documentation(code, symbol, lines, doc):
    found = definition_of(code.splitlines(), symbol)

    assert found is not None
    assert (found.first + 1, found.last + 1) == lines
    assert found.doc == doc


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (PYTHON, ["LIMIT", "count", "Box", "open"]),
        (GO, ["Match", "Route"]),
        (TYPESCRIPT, ["compile", "Router"]),
        (C, ["MAX_SIZE"]),
        ("    public static final int MAX_SIZE = 3;\nA = 1\nWIDE == 2\nWide = 3", ["MAX_SIZE"]),
    ],
)
def test_definitions_that_name_themselves_are_listed(code, names):
    lines = code.splitlines()
    assert [found.name for found in definitions_in(lines)] == names
    assert names_defined_in(lines) == set(names)


@pytest.mark.parametrize(
    "code", ["count(1)", "return count(2)", "x.count = 3", "# count: four", ""]
)
def test_a_use_is_no_definition(code):
    assert definition_of(code.splitlines(), "count") is None


@given(st.lists(st.text(max_size=40), max_size=12), st.text(max_size=8))
def test_any_text_is_read_without_failing(lines, symbol):
    found = definitions_in(lines)

    assert all(0 <= d.first <= d.line <= d.last < len(lines) for d in found)
    definition_of(lines, symbol)


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        (
            "# Routing\n\nA URL is matched\nfrom the top. Then it stops.\n",
            "A URL is matched from the top.",
        ),
        ("# Only\n\n- a list\n| a | table |\n", ""),
        ("Running all of it\n^^^^^^^^^^\n\n:since: some day long ago\n$ make it all now\n", ""),
        ("```\ncode\n```\nNotes:\n\nIt goes <b>on</b> here.", "It goes on here."),
    ],
)
def test_the_first_sentence_of_a_section(text, prose):
    assert prose_of(text.splitlines()) == prose


@pytest.mark.parametrize(
    ("code", "signature"),
    [
        (PYTHON, "def count(items: list,) -> int"),
        ("int add(int a,\n        int b)\n{\n}", "int add(int a, int b)"),
        ("const add = (a) => {\n  return a;\n}", "const add = (a) =>"),
    ],
)
def test_a_signature_is_one_line(code, signature):
    name = "count" if code == PYTHON else "add"

    assert definition_of(code.splitlines(), name).signature == signature


def test_the_rest_of_a_comment_documents_nothing():
    assert definition_of([" * Half a thought.", " */", "class Box {", "}"], "Box").doc == ""


def test_markup_is_taken_off_a_comment():
    lines = ["/** A {@link Box} of <b>things</b>.", " * @return it */", "class Lid {}"]

    assert definition_of(lines, "Lid").doc == "A Box of things."


def test_an_opening_is_the_first_line_with_words():
    assert opening_of(["", "/**", " * Says it.", " */"]) == "Says it."
    assert opening_of(["{", "}"]) == ""


@pytest.mark.parametrize("line", ["#[cfg(doc)]", "#![deny(missing_docs)]"])
def test_an_attribute_is_no_comment(line):
    assert opening_of(["", line, "mod net;"]) == line


def test_a_name_that_stands_for_nothing_defines_nothing():
    header = "#ifndef BOX_H\n#define BOX_H\n#define SIZE 3\n#define OPEN(box) (box)->open\n"
    assert [found.name for found in definitions_in(header.splitlines())] == ["SIZE", "OPEN"]


@pytest.mark.parametrize(
    ("code", "doc"),
    [
        ('"""Reads files. Fast."""\n\nimport os\n', "Reads files."),
        ("#!/bin/sh\n# Starts the server.\nrun\n", "Starts the server."),
        ("\n// Package mux routes.\npackage mux\n", "Package mux routes."),
        ("// Copyright 2024 Someone. All rights.\npackage mux\n", ""),
        ("import os\n", ""),
    ],
)
def test_what_a_file_says_of_itself(code, doc):
    assert file_doc(code.splitlines()) == doc


@pytest.mark.parametrize("tag", ["{@inheritDoc}", "@inheritDoc", "@return $this", "\\internal"])
def test_a_tag_for_a_tool_is_no_documentation(tag):
    (found,) = definitions_in(["/**", f" * {tag}", " */", "public function write($x)", "{", "}"])

    assert found.doc == ""


def test_a_signature_goes_on_to_the_bracket_that_closes_it():
    lines = ["function check(reducers: {", "  [key: string]: Reducer", "}) {", "  return 1", "}"]

    assert definitions_in(lines)[0].signature == (
        "function check(reducers: { [key: string]: Reducer })"
    )
