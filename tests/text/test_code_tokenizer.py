"""The tokenizer as the word index, the embedder and a hostile file see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.text.code_tokenizer import (
    MAX_TERM_LENGTH,
    distinct_terms,
    identifiers,
    tokenize,
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("AuthMiddleware", "authmiddleware auth middleware"),
        ("getUserById", "getuserbyid get user by id"),
        ("get_user_by_id", "getuserbyid get user by id"),
        ("GET_USER_BY_ID", "getuserbyid get user by id"),
        ("__init__", "init"),
        ("HTTPServerError", "httpservererror http server error"),
        ("parseURLs", "parseurls parse urls"),
        ("sha256", "sha256 sha 256"),
        ("0xFF 1_000", "0xff 1000"),
        ("os.path.join(a, b)", "os path join a b"),
        ("data-dir", "data dir"),
        ("src/app/main.py", "src app main py"),
        ("naïve_Größe", "naïvegröße naïve größe"),
        ("検索する", "検索 索す する"),
        ("值", "值"),
        ("ключЗначение", "ключзначение"),
        ("x" * 70, "x" * 64),
        ("___ ++ \x00\t", ""),
    ],
)
def test_words_yield_their_compound_and_parts(text: str, terms: str) -> None:
    assert tokenize(text) == terms.split()


def test_repeats_and_order_are_kept() -> None:
    assert tokenize("b a\nb") == ["b", "a", "b"]


def test_identifiers_are_returned_as_written() -> None:
    assert identifiers("self._userName = f2(9, 'größe')") == ["self", "_userName", "f2", "größe"]


@given(st.text())
def test_distinct_terms_are_the_terms_without_repeats(text: str) -> None:
    assert distinct_terms(text) == set(tokenize(text))


@given(st.text())
def test_any_text_gives_short_lower_case_terms(text: str) -> None:
    terms = tokenize(text)
    assert terms == tokenize(text)
    assert all(0 < len(term) <= MAX_TERM_LENGTH and term == term.lower() for term in terms)


@given(st.text(st.characters(max_codepoint=127)))
def test_a_letter_beyond_ascii_elsewhere_does_not_change_the_other_words(text: str) -> None:
    assert tokenize(f"{text} é") == [*tokenize(text), "é"]


@pytest.mark.parametrize("word", ["aB", "A", "a_", "9", "é", "検", "zz9Ä"])
def test_a_megabyte_without_a_space_yields_terms_in_proportion(word: str) -> None:
    text = word * (1_000_000 // len(word))
    assert len(tokenize(text)) <= 2 * len(text)


@given(st.lists(st.text(min_size=65, max_size=600), max_size=5))
def test_long_words_are_cut_in_slices_that_lose_nothing_short(words: list[str]) -> None:
    assert "tail" in tokenize(" ".join([*words, "tail"]))
