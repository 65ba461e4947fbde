from codeintel_rev.answer.citations import rendered
from codeintel_rev.answer.extractive import extractive_answer, extractive_sources, nothing_found
from tests.fakes.retriever import make_hit

ROUTER = make_hit(
    1,
    '    def match(self, url):\n        """Return the route of a URL. Or none."""\n'
    "        return compile_path(url)\n",
    uri="src/router.py",
    start_line=40,
    symbol="Router.match",
    kind="method",
)
HELPERS = make_hit(
    2,
    "def quote(text):\n    return text\n\n\ndef compile_path(path):\n"
    '    """Turn a path into a pattern."""\n    return path\n',
    uri="src/helpers.py",
    start_line=5,
    symbol="quote",
    kind="block",
)
TEST = make_hit(3, uri="tests/test_router.py", symbol="f3")
GUIDE = make_hit(
    4,
    "## Routing\n\nA URL is matched from the top.\n",
    uri="docs/guide.md",
    language="markdown",
    symbol="Guide > Routing",
    kind="section",
)
CONFIG = make_hit(
    5, "\n[server]\nport = 1\n", uri="server.toml", language="toml", symbol="", kind="lines"
)
BOX = make_hit(
    6,
    "class Box(Base):\n    def __init__(self):\n        pass\n\n"
    "    def open_lid(self):\n        return compile_path\n",
    uri="src/box.py",
    symbol="Box",
    kind="class",
)
QUESTION = "how is a path turned into a pattern?"


def text_of(pieces) -> str:
    return "".join(piece if isinstance(piece, str) else rendered(piece) for piece in pieces)


def test_an_answer_names_what_each_snippet_is(golden):
    pieces = extractive_answer(QUESTION, [ROUTER, TEST, HELPERS, GUIDE, CONFIG, BOX])

    golden("answers/extractive.txt", text_of(pieces) + "\n")


def test_every_citation_is_numbered_in_order_and_verified():
    pieces = extractive_answer(QUESTION, [ROUTER, TEST, HELPERS, GUIDE, CONFIG])

    citations = [c for piece in pieces if not isinstance(piece, str) for c in piece]
    assert [c.n for c in citations] == [1, 2, 3, 4, 5]
    assert all(c.verified for c in citations)


def test_a_block_is_narrowed_to_the_definition_that_was_asked_for():
    assert "`compile_path` (src/helpers.py:9-11)" in text_of(extractive_answer(QUESTION, [HELPERS]))
    assert "`quote` (src/helpers.py:5-6)" in text_of(extractive_answer("quote text", [HELPERS]))


def test_a_later_part_of_a_definition_is_called_a_part():
    rest = make_hit(1, "        return 1\n", symbol="Big.method", kind="method", start_line=90)

    assert text_of(extractive_answer("where is it?", [rest])) == (
        "The closest match is the part of `Big.method` starting `return 1` (src/m1.py:90-90)"
    )


def test_hostile_text_stays_on_its_line():
    hit = make_hit(1, 'def f1():\n    """\x1b[31mRed\r\nalert `x` [9]."""\n')

    text = text_of(extractive_answer("q", [hit]))

    assert "\x1b" not in text
    assert "\n" not in text


def test_sources_list_every_snippet_once():
    text = text_of(extractive_sources([ROUTER, HELPERS, ROUTER]))

    assert text == (
        "\n\nSources:\n- method `Router.match` (src/router.py:40-42)"
        "\n- function `quote` (src/helpers.py:5-6)"
    )


def test_nothing_found_says_why():
    assert nothing_found("where\nis it?") == "Nothing in the index matches “where is it?”."
    assert "selects no file" in nothing_found("q", ["scope_empty"])
    assert "Retrieval failed" in nothing_found("q", ["no_retrieval"])
