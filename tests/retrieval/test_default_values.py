from __future__ import annotations

import pytest

from codeintel_rev.retrieval.default_values import asked_default, default_value, telling_default
from codeintel_rev.types import ChunkHead

DEFAULTS = """\
NAMESPACES = Namespace(
    worker=Namespace(
        pool_restarts=Option(False, type='bool'),
        prefetch_multiplier=Option(4, type='int'),
        lost_wait=Option(10.0, type='float'),
"""
SECTION = """\
``worker_prefetch_multiplier``
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~

Default: 4.

How many messages to prefetch at a time.
"""
OPTION = """\
@click.option(
    "--tab-width",
    help="Spaces that a tab stands for.",
    default=4,
)
def show(tab_width):
"""


def line_told(question: str, text: str, uri: str = "src/a.py", symbol: str = "") -> str | None:
    value = default_value(asked_default(question), uri, symbol, text, is_prose=uri[-3:] == ".md")
    return None if value is None else text.split("\n")[value.line].strip()


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("what is the default prefetch multiplier?", True),
        ("which port does it listen on by default?", True),
        ("defaults of the pool", True),
        ("what is the prefetch multiplier?", False),
        ("default", False),
        ("the default values", False),
        (
            "how does the default error page of a mounted application get its headers and body",
            False,
        ),
    ],
)
def test_a_question_for_a_default_has_that_word_and_few_others(question: str, asks: bool) -> None:
    assert bool(asked_default(question)) is asks


@pytest.mark.parametrize(
    "line",
    [
        "DEFAULT_POOL_TIMEOUT = 30",
        "const defaultPoolTimeout = 30 * time.Second",
        "var DefaultPoolTimeout time.Duration = 30",
        "static final int DEFAULT_POOL_TIMEOUT = 30;",
        "#define DEFAULT_POOL_TIMEOUT 30",
        "pool_timeout: float = 30.0",
        '"pool_timeout": 30,',
        "pool_timeout = Option(DEFAULT_WAIT, type=int)",
        "poolTimeout: null",
        'flag.Int("pool-timeout", 30, "seconds to wait")',
        'createIntConfig("pool-timeout", NULL, FLAGS, 0, server.timeout, 30),',
        "wait = env.get('POOL_TIMEOUT', 30)",
        "the pool timeout defaults to 30 seconds",
        "The default pool timeout is `30`.",
    ],
)
def test_a_line_that_gives_the_name_a_value_tells_the_default(line: str) -> None:
    text = f"first\n    {line}\nlast"
    assert line_told("what is the default pool timeout?", text) == line


@pytest.mark.parametrize(
    "line",
    [
        "self.pool_timeout = pool_timeout",
        "if pool_timeout == 30:",
        "PoolTimeout::new(30)",
        "use_default(pool, timeout)",
        "connect_timeout = 30",
        "the pool has no timeout by default",
        "queues of the pool (default: `True`)",
    ],
)
def test_other_lines_with_these_words_do_not(line: str) -> None:
    assert line_told("what is the default pool timeout?", line) is None


def test_the_rest_may_be_said_by_the_file_around() -> None:
    told = line_told("default worker prefetch multiplier", DEFAULTS, "app/defaults.py")
    assert told == "prefetch_multiplier=Option(4, type='int'),"


def test_a_document_tells_it_below_a_heading() -> None:
    heading = "Settings > Worker > ``worker_prefetch_multiplier``"
    told = line_told("default prefetch multiplier", SECTION, "docs/settings.md", heading)
    assert told == "Default: 4."
    assert line_told("default lost wait", SECTION, "docs/settings.md", heading) is None


def test_an_option_is_named_shortly_before_its_default() -> None:
    value = default_value(asked_default("default tab width"), "cli.py", "", OPTION, is_prose=False)
    assert value is not None
    assert (value.first, value.line) == (0, 3)


def test_the_rows_that_tell_it_as_well_as_the_best_are_returned_but_no_tests() -> None:
    texts = {
        1: "def _update(self): self.prefetch_multiplier = multiplier",
        2: DEFAULTS,
        3: "prefetch_multiplier=1",
        4: SECTION,
        5: "DEFAULT_PREFETCH_MULTIPLIER = 7",
    }
    paths = {1: "a.py", 2: "defaults.py", 3: "b.py", 4: "docs/s.rst", 5: "tests/test_a.py"}
    heads = {
        row: ChunkHead(row, row, path, "rst" if path[-3:] == "rst" else "python", "block", symbol)
        for (row, path), symbol in zip(
            paths.items(), ["", "", "", "``prefetch_multiplier``", ""], strict=True
        )
    }
    asked = asked_default("what is the default prefetch multiplier?")
    found = telling_default(asked, heads, [(row, text.encode()) for row, text in texts.items()])
    assert sorted(found) == [2, 4]


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a b ", "a:a ", "default ", "`", "=[[[", "a: {", "a =", 'f("a", ']
)
def test_hostile_lines_end(piece: str) -> None:
    text = "\n".join([piece * (100_000 // len(piece))] * 20)
    assert line_told("default pool timeout", text) is None
