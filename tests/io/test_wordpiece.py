from __future__ import annotations

import pytest

from codeintel_rev.io.wordpiece import WordPieceTokenizer

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "parse", "##r", "url", "_", "(", ")", "e", "中", "."]


@pytest.fixture
def tokenizer() -> WordPieceTokenizer:
    return WordPieceTokenizer(PIECES)


def pieces(tokenizer: WordPieceTokenizer, text: str, limit: int = 32) -> list[str]:
    first, *inner, last = (PIECES[at] for at in tokenizer.encode(text, limit))
    assert (first, last) == ("[CLS]", "[SEP]")
    return inner


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Parse", ["parse"]),
        ("parser parse_url()", ["parse", "##r", "parse", "_", "url", "(", ")"]),
        ("parsers", ["[UNK]"]),
        ("É é", ["e", "e"]),
        ("url中url", ["url", "中", "url"]),
        ("u\x00rl\x7f \ufffdurl\u200b", ["url", "url"]),
        ("url\t\n url", ["url", "url"]),
        ("u" * 101, ["[UNK]"]),
    ],
)
def test_text_becomes_the_longest_known_pieces(
    tokenizer: WordPieceTokenizer, text: str, expected: list[str]
) -> None:
    assert pieces(tokenizer, text) == expected


def test_a_long_text_is_cut_and_still_ends_as_it_should(tokenizer: WordPieceTokenizer) -> None:
    assert pieces(tokenizer, "url " * 50, limit=5) == ["url"] * 3
