from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.text.chunk_terms import HEAD_LINES, PATH_WEIGHT, document_terms, text_terms
from codeintel_rev.text.code_tokenizer import tokenize


def test_a_chunk_is_its_path_repeated_then_symbol_and_text() -> None:
    path = ["a", "b", "py"] * PATH_WEIGHT
    found = document_terms("a/b.py", "C.run", "pass")
    assert found.terms == [*path, "c", "run", "pass"]
    assert found.head == len(found.terms)


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_head_ends_with_the_first_lines(end: str) -> None:
    lines = [f"line_{n}" for n in range(HEAD_LINES)]
    first = "\n".join(lines) + end
    assert text_terms(first).head == len(tokenize(first))
    assert text_terms(f"{first}\nmore").head == len(tokenize(first))
    path = document_terms("a.py", "C", f"{first}\nmore")
    assert path.terms[path.head :] == ["more"]


@given(st.text(alphabet="ab_C \n\r日本"))
def test_no_term_is_lost_or_moved(text: str) -> None:
    assert text_terms(text).terms == tokenize(text)
