import pytest

from codeintel_rev.answer.narrowing import last_sentence, narrowed
from codeintel_rev.answer.passages import passage_of
from codeintel_rev.types import Symbol
from tests.fakes.retriever import make_hit

PASSAGE = passage_of(
    make_hit(
        1,
        "class Box:\n    def open(self):\n        return 1\n\n    def shut(self):\n        return 2\n",
        start_line=10,
    )
)
SYMBOLS = [
    Symbol("Box", "Box", "class", 10, 15, 10, 7),
    Symbol("open", "Box.open", "method", 11, 12, 11, 9),
    Symbol("shut", "Box.shut", "method", 14, 15, 14, 9),
    Symbol("gone", "gone", "function", 40, 45, 40, 5),
]


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("It opens in `open`", (11, 12)),
        ("`Box.open()` does it", (11, 12)),
        ("a `Box` is made", (10, 15)),
        ("`open` and `shut` both", None),
        ("it is open and shut", None),
        ("`gone` does it", None),
        ("", None),
    ],
)
def test_a_citation_narrows_to_the_one_definition_that_is_named(said, lines):
    assert narrowed(PASSAGE, SYMBOLS, said) == lines


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two `f`", "Two `f`"),
        ("One `f`. ", "One `f`."),
        ("- `a`\n- `b` ", "- `b` "),
        ("", ""),
    ],
)
def test_the_last_sentence_is_what_a_mention_belongs_to(text, sentence):
    assert last_sentence(text).strip() == sentence.strip()
