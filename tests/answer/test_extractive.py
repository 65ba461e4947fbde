from dataclasses import replace

from codeintel_rev.answer.citations import rendered
from codeintel_rev.answer.extractive import (
    extractive_answer,
    extractive_sources,
    nothing_found,
    unsupported_answer,
)
from codeintel_rev.types import Symbol
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
TEST = make_hit(
    3,
    "def test_a_path_is_compiled():\n    assert compile_path('/')\n",
    uri="tests/test_router.py",
    symbol="test_a_path_is_compiled",
)
GUIDE = make_hit(
    4,
    "## Routing\n\nA path is matched with each pattern from the top.\n",
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
    pieces = extractive_answer(QUESTION, [ROUTER, TEST, HELPERS, GUIDE, BOX])

    citations = [c for piece in pieces if not isinstance(piece, str) for c in piece]
    assert [c.n for c in citations] == list(range(1, len(citations) + 1))
    assert len(citations) > 3
    assert all(c.verified for c in citations)


def test_a_default_that_is_asked_for_leads():
    settings = make_hit(
        7,
        "OPTIONS = dict(\n    retries=Option(3),\n    path_limit=Option(40),\n)\n",
        uri="src/defaults.py",
        start_line=10,
        symbol="OPTIONS",
        kind="constant",
    )
    text = text_of(extractive_answer("what is the default path limit?", [ROUTER, settings, TEST]))

    assert text.startswith(
        "The default stands in the constant `OPTIONS` (src/defaults.py:12-12):\n"
        "```python\npath_limit=Option(40),\n```"
    )


def test_how_to_do_something_is_shown_as_the_document_shows_it():
    guide = make_hit(
        8,
        "## Adding themes\n\nThemes are files.\n\nCopy yours, and tell the cache:\n"
        "```bash\ncp mine.tm themes/\n\nbat cache --build\n```\nThat is all.\n",
        uri="README.md",
        start_line=10,
        language="markdown",
        symbol="Adding themes",
        kind="section",
    )
    shown = "Copy yours, and tell the cache:\n```bash\ncp mine.tm themes/\n\nbat cache --build\n```"

    text = text_of(extractive_answer("how do I add a theme?", [guide]))
    assert f"In its lines (README.md:14-19):\n````markdown\n{shown}\n````" in text
    assert "In its lines" not in text_of(extractive_answer("what is a theme?", [guide]))


def test_the_heirs_of_a_type_are_told_as_such():
    def type_hit(row, name, code):
        return make_hit(row, code, uri=f"src/{name.lower()}.py", symbol=name, kind="class")

    base = type_hit(1, "Store", 'class Store:\n    """Keeps things."""\n\n    def get(self): ...\n')
    heir = type_hit(2, "Redis", "class Redis(\n    Store,\n):\n    url = None\n")
    other = make_hit(4, "impl Store for Disk {\n}\n", uri="src/disk.rs", symbol="Disk", kind="impl")
    user = type_hit(3, "Cache", "class Cache:\n    store = Store()\n")

    text = text_of(extractive_answer("which classes extend Store?", [base, heir, other, user]))

    assert "It is extended by:\n- class `Redis` (src/redis.py:1-4)" in text
    assert "\n- `impl Store for Disk` (src/disk.rs:1-2)\n" in text
    assert "It is used by:\n- class `Cache` (src/cache.py:1-2)" in text


def test_a_block_is_narrowed_to_the_definition_that_was_asked_for():
    assert "`compile_path` (src/helpers.py:9-11)" in text_of(extractive_answer(QUESTION, [HELPERS]))
    assert "`quote` (src/helpers.py:5-6)" in text_of(extractive_answer("quote text", [HELPERS]))


def test_a_later_part_of_a_definition_is_called_a_part():
    rest = make_hit(1, "        return 1\n", symbol="Big.method", kind="method", start_line=90)

    assert text_of(extractive_answer("what is it?", [rest])) == (
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
    assert "No indexed file is in scope" in nothing_found("q", ["scope_empty"])
    assert "Retrieval failed" in nothing_found("q", ["no_retrieval"])


SESSIONS = make_hit(
    7,
    "class NullSession(Session):\n"
    "    def _fail(self):\n"
    "        raise RuntimeError(\n"
    '            "The session is unavailable because no secret "\n'
    '            "key was set."\n'
    "        )\n\n"
    "    def clear(self):\n"
    "        self._fail()\n",
    uri="src/sessions.py",
    start_line=90,
    symbol="NullSession",
    kind="class",
)


def test_a_message_leads_to_the_statement_that_raises_it():
    message = "RuntimeError: The session is unavailable because no secret key was set."

    text = text_of(extractive_answer(message, [BOX, SESSIONS]))

    assert text.startswith(
        "This text is raised in the function `_fail` in the class `NullSession` "
        "(src/sessions.py:92-95):\n```python\nraise RuntimeError(\n"
    )


def test_a_message_is_found_where_its_numbers_are_filled_in():
    source = make_hit(
        1, 'void follow() {\n  failf("Maximum (%d) turns followed", most);\n}\n', uri="src/turn.c"
    )
    said = text_of(extractive_answer("Maximum (50) turns followed", [HELPERS, source]))
    assert "raised in" in said
    assert "(src/turn.c:2-2)" in said

    waits = make_hit(2, "fail(`Test timed out in ${limit}ms.`)\n", uri="src/wait.ts")
    said = text_of(extractive_answer("Test timed out in 5000ms", [HELPERS, waits]))
    assert said.startswith("This text is raised in")

    hostile = make_hit(3, "." * 20_000 + "\n", uri="src/dots.ts")
    for query in ("wait for all " + "1." * 150, "1.2.3.4 wait for all"):
        assert "raised in" not in text_of(extractive_answer(query, [HELPERS, hostile]))

    said = text_of(extractive_answer("Maximum 50", [HELPERS, source]))
    assert said.startswith("The closest match")


def test_a_statement_that_prints_a_message_goes_before_a_name_for_it():
    name = make_hit(
        8, '#define WRONG "operation against the wrong kind of value"\n', uri="src/messages.h",
        language="c", symbol="WRONG", kind="macro",
    )  # fmt: skip
    prints = make_hit(
        9, 'void check(box *b) {\n    reply(b, "operation against the wrong kind of value");\n}\n',
        uri="src/check.c", language="c", symbol="check", kind="function",
    )  # fmt: skip
    message = "operation against the wrong kind of value"
    text = text_of(extractive_answer(message, [name, prints]))
    assert text.startswith("This text is found in the function `check` (src/check.c:2-2)")


def test_the_definition_of_a_name_that_was_asked_for_leads():
    text = text_of(extractive_answer("what does compile_path do?", [ROUTER, BOX, HELPERS]))

    assert text.startswith("The closest match is the function `compile_path` (src/helpers.py:9-11)")
    assert "It is used by:\n- method `Router.match`" in text


def test_a_plain_name_leads_where_the_question_says_its_kind():
    look = make_hit(7, 'def look(thing):\n    """Show it."""\n', symbol="look", kind="function")

    text = text_of(extractive_answer("what does the look function do?", [ROUTER, BOX, look]))

    assert text.startswith("The closest match is the function `look`")


def test_of_definitions_of_one_name_a_type_leads():
    constructor = make_hit(
        7, "function Box() {\n  return 1\n}\n", uri="src/box.js", symbol="Box", kind="function"
    )
    text = text_of(extractive_answer("what is a Box?", [constructor, BOX]))
    assert text.startswith("The closest match is the class `Box`")


def test_a_name_with_its_owner_is_not_taken_for_the_owner():
    owner = make_hit(1, "class Door:\n    size = 1\n", uri="src/door.py", symbol="Door")
    other = make_hit(2, "def shut(self):\n    pass\n", uri="src/lid.py", symbol="Lid.shut")
    asked = make_hit(3, "def shut(self):\n    pass\n", uri="src/door.py", symbol="Door.shut")

    for query in ("what does Door.shut do?", "how does Door::shut() work", "Door#shut"):
        said = text_of(extractive_answer(query, [owner, other, asked]))
        assert said.startswith("The closest match is the function `Door.shut` (src/door.py:1-2)")


def test_a_name_that_only_says_where_to_look_does_not_lead():
    question = "how does Box find the pattern of a path that is quoted?"
    text = text_of(extractive_answer(question, [HELPERS, BOX]))
    assert text.startswith("The closest match is the function `compile_path`")


def test_who_asks_where_is_told_places_and_who_asks_how_sees_code():
    where = text_of(extractive_answer("where is the lid of a box opened?", [BOX, HELPERS]))
    how = text_of(extractive_answer("how is the lid of a box opened?", [BOX, HELPERS]))

    assert where.startswith("Look first in the class `Box` (src/box.py:1-6)")
    assert "```" not in where
    assert "In its lines (src/box.py:2-6):\n```python\ndef __init__(self):" in how


def test_what_the_parser_saw_goes_before_what_the_text_looks_like():
    seen = Symbol("Box", "Box", "dataclass", 1, 6, 1, 7, doc="A box with a lid.")

    text = text_of(extractive_answer("where is the box?", [BOX], {6: [seen]}))

    assert (
        text == "Look first in the dataclass `Box` (src/box.py:1-6): \u201cA box with a lid.\u201d"
    )


def test_a_part_of_a_definition_is_told_with_the_documentation_of_the_whole():
    rest = make_hit(1, "        return 1\n", symbol="Big.run", kind="method", start_line=90)
    whole = Symbol("run", "Big.run", "method", 10, 95, 10, 5, doc="Run it.")

    text = text_of(extractive_answer("where is it run?", [rest], {1: [whole]}))

    assert text == "Look first in the method `Big.run` (src/m1.py:90-90): \u201cRun it.\u201d"


def test_touching_pieces_of_one_definition_are_one_place():
    head = make_hit(1, "def big(x):\n    return (\n", symbol="big")
    tail = make_hit(2, "        x\n    )\n", symbol="big", start_line=3)
    tail = replace(tail, uri=head.uri, content_hash=head.content_hash)

    text = text_of(extractive_answer("where is big?", [tail, head]))

    assert text == "Look first in the function `big` (src/m1.py:1-4): `def big(x)`"


def test_where_nothing_supports_an_answer_it_says_so_and_shows_the_nearest():
    pieces = unsupported_answer("where are invoices sent?", [ROUTER, HELPERS, BOX, TEST])

    text = text_of(pieces)
    assert text.startswith("I found nothing in the index that answers")
    assert text.count("\n- ") == 3
    assert all(c.verified for piece in pieces if not isinstance(piece, str) for c in piece)


def test_an_excerpt_cannot_close_its_fence():
    hit = make_hit(1, "def f1(a):\n    x = 1\n    ````\n    y = 2\n    return x\n")

    text = text_of(extractive_answer("how does f1 work?", [hit]))

    assert "`````python\nx = 1\n````" in text
    assert text.endswith("\n`````")


def test_code_leads_where_a_test_comes_before_it():
    hits = [TEST, ROUTER, HELPERS]

    explained = text_of(extractive_answer("how does a route test its path?", hits))
    assert explained.startswith("The closest match is the method `Router.match`")

    listed = text_of(extractive_answer("where is a path tested?", hits))
    assert listed.startswith("Look first in the function `test_a_path_is_compiled`")


def test_code_that_says_as_much_leads_before_tests_alone():
    tests = [replace(TEST, doc_id=n, uri=f"tests/test_{n}.py") for n in (11, 12, 13)]

    said = text_of(extractive_answer("how is a path compiled?", [*tests, HELPERS, ROUTER]))
    assert said.startswith("The closest match is the function `compile_path`")

    said = text_of(extractive_answer("how is a path compiled?", [*tests, CONFIG]))
    assert said.startswith("The closest match is the function `test_a_path_is_compiled`")
