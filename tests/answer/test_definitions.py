import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.answer.definitions import definition_of, definitions_in, prose_of

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
        (PYTHON, ["count", "Box", "open"]),
        (GO, ["Match", "Route"]),
        (TYPESCRIPT, ["compile", "Router"]),
        (C, ["MAX_SIZE"]),
    ],
)
def test_definitions_that_name_themselves_are_listed(code, names):
    assert [found.name for found in definitions_in(code.splitlines())] == names


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
        ("```\ncode\n```\nAfter it.", "After it."),
    ],
)
def test_the_first_sentence_of_a_section(text, prose):
    assert prose_of(text.splitlines()) == prose
